import { describe, expect, it } from 'vitest';
import { checkValue, type ValueRules } from '../../../../src/core/settings/check-value.ts';

const days: ValueRules = { type: 'integer', minimum: 1, maximum: 3650, required: true };

describe('checkValue', () => {
  it.each<[unknown, ValueRules]>([
    [1, days],
    [3650, days],
    ['abc', { type: 'string', minLength: 3, maxLength: 3, pattern: '^a' }],
    ['a@b', { format: 'email' }],
    ['2026-11-27', { format: 'date' }],
    ['b', { enum: ['a', 'b'] }],
    [[1, 2], { type: 'array', items: { type: 'integer' } }],
    [{ a: 1 }, { type: 'object', required: ['a'] }],
    [null, { type: 'integer' }],
    [true, { type: 'boolean' }],
  ])('takes %j', (value, rules) => {
    expect(checkValue(value, rules)).toBeNull();
  });

  it.each<[unknown, ValueRules, RegExp]>([
    [0, days, /less than 1/],
    [3651, days, /more than 3650/],
    [1.5, days, /not of type integer/],
    ['14', days, /not of type integer/],
    [null, days, /no value/],
    [Number.NaN, { type: 'number' }, /not of type number/],
    ['ab', { minLength: 3 }, /shorter/],
    ['abcd', { maxLength: 3 }, /longer/],
    ['b', { pattern: '^a' }, /does not match/],
    ['b', { pattern: '(' }, /cannot be used/],
    ['x', { format: 'uuid' }, /not a uuid/],
    ['c', { enum: ['a', 'b'] }, /not one of "a", "b"/],
    [[1, 'x'], { type: 'array', items: { type: 'integer' } }, /item 1: "x" is not of type integer/],
    [{ b: 1 }, { type: 'object', required: ['a'] }, /a is missing/],
  ])('refuses %j under %j', (value, rules, problem) => {
    expect(checkValue(value, rules)).toMatch(problem);
  });
});
