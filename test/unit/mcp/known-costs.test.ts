import { expect, test } from 'vitest';
import { KnownCosts } from '../../../src/mcp/known-costs.ts';

test('twice what a target took may be taken again, within bounds', () => {
  const costs = new KnownCosts();
  expect(costs.allowanceMs('a')).toBe(0);
  costs.note('a', 8);
  expect(costs.allowanceMs('a')).toBe(16);
  // A quick one lowers it, but not at once.
  costs.note('a', 1);
  expect(costs.allowanceMs('a')).toBe(8);
  costs.note('a', 3);
  expect(costs.allowanceMs('a')).toBe(6);
  for (let probe = 0; probe < 10; probe += 1) costs.note('a', 0.1);
  expect(costs.allowanceMs('a')).toBe(5);
  costs.note('a', 10_000);
  expect(costs.allowanceMs('a')).toBe(50);
  costs.note('a', 0);
  expect(costs.allowanceMs('a')).toBe(0);
  costs.note('a', 8);
  costs.forget('a');
  expect(costs.allowanceMs('a')).toBe(0);
});

test('of ten thousand targets is known what they took, and of those that were good last', () => {
  const costs = new KnownCosts();
  for (let number = 0; number < 10_000; number += 1) costs.note(String(number), 4);
  costs.note('0', 6);
  costs.note('another', 7);
  expect(costs.allowanceMs('0')).toBe(12);
  expect(costs.allowanceMs('1')).toBe(0);
  expect(costs.allowanceMs('2')).toBe(8);
  expect(costs.allowanceMs('another')).toBe(14);
});
