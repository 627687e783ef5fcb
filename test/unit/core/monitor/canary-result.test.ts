import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameJson, judgeResult } from '../../../../src/core/monitor/canary-result.ts';
import type { CanaryExpectation } from '../../../../src/core/monitor/canary-settings.ts';

const expected = (changes: Partial<CanaryExpectation> = {}): CanaryExpectation => ({
  isError: false,
  contains: null,
  jsonPath: [],
  withinMs: null,
  ...changes,
});
const text = (...texts: string[]) => ({ content: texts.map((one) => ({ type: 'text', text: one })) });
const path = (at: string, equals: unknown) => ({ jsonPath: [{ path: at, equals }] });

test.each<[string, Partial<CanaryExpectation>, Record<string, unknown>, string | null]>([
  ['nothing but no error', {}, {}, null],
  ['an error', {}, { isError: true }, 'the tool answered with an error'],
  [
    'an error with its text',
    {},
    { isError: true, ...text('no table') },
    'the tool answered with an error: no table',
  ],
  ['an error that is expected', { isError: true }, { isError: true }, null],
  [
    'an expected error that did not come',
    { isError: true },
    {},
    'the tool succeeded, and was to answer with an error',
  ],
  ['isError that is no boolean', {}, { isError: 'true' }, null],
  ['text', { contains: 'b' }, text('a', 'abc'), null],
  ['text that is not there', { contains: 'x' }, text('a'), 'the result does not contain "x"'],
  [
    'text of an embedded resource',
    { contains: 'in' },
    { content: [{ type: 'resource', resource: { text: 'inside' } }] },
    null,
  ],
  ['text in structured content', { contains: 'in' }, { structuredContent: { a: [{ b: 'inside' }] } }, null],
  ['no content at all', { contains: 'x' }, { content: 'x' }, 'the result does not contain "x"'],
  ['a value', path('$.structuredContent.a', 1), { structuredContent: { a: 1 } }, null],
  [
    'another value',
    path('$.structuredContent.a', 1),
    { structuredContent: { a: 2 } },
    '$.structuredContent.a is 2, and was to be 1',
  ],
  ['no value', path('$.structuredContent.a', 1), {}, '$.structuredContent.a selects nothing of the result'],
  ['all values', path('$.structuredContent[*]', 1), { structuredContent: [1, 1] }, null],
  [
    'one of several values',
    path('$.structuredContent[*]', 1),
    { structuredContent: [1, 2] },
    '$.structuredContent[*] is 2, and was to be 1',
  ],
  ['JSON in the text', path('$.json.a', [{ b: 1, c: 2 }]), text('{"a":[{"c":2,"b":1}]}'), null],
  ['text that is no JSON', path('$.json', 1), text('one'), '$.json selects nothing of the result'],
  ['null, which is a value', path('$.structuredContent.a', null), { structuredContent: { a: null } }, null],
])('%s', (_what, changes, result, verdict) => {
  expect(judgeResult(expected(changes), result, 1)).toBe(verdict);
});

test('the time counts, after all else', () => {
  const wanted = expected({ withinMs: 100 });
  expect(judgeResult(wanted, {}, 100)).toBeNull();
  expect(judgeResult(wanted, {}, 100.2)).toBe('it took 101 ms, and was to take at most 100 ms');
  expect(judgeResult(wanted, { isError: true }, 500)).toBe('the tool answered with an error');
});

test('of a result no more than a little is told', () => {
  const long = 'x'.repeat(100_000);
  for (const [changes, result] of [
    [{}, { isError: true, ...text(long) }],
    [path('$.json', 1), text(JSON.stringify(long))],
    [path('$.json', 1), text(JSON.stringify({ long }))],
  ] as const) {
    expect(judgeResult(expected(changes), result, 1)?.length).toBeLessThan(300);
  }
});

test('never throws, whatever a server answers', () => {
  const wanted = expected({ contains: 'a', ...path('$..a', 1) });
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('content', 'structuredContent', 'isError', 'json'), fc.jsonValue()),
      (result) => {
        const verdict = judgeResult(wanted, result, 1);
        expect(verdict === null || verdict.length < 1_000).toBe(true);
        expect(judgeResult(expected(path('$', 0)), result, 1)).not.toBeNull();
      },
    ),
  );
  let deep: unknown = 'a';
  for (let depth = 0; depth < 8_000; depth += 1) deep = [deep];
  expect(judgeResult(wanted, { structuredContent: deep }, 1)).toContain('levels deep');
  expect(judgeResult(expected(path('$.structuredContent', 0)), { structuredContent: deep }, 1)).toContain(
    'levels deep',
  );
});

test('equality is that of JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      const copy: unknown = JSON.parse(JSON.stringify(one));
      expect(isSameJson(one, copy)).toBe(true);
      expect(isSameJson(one, other)).toBe(isSameJson(other, one));
    }),
  );
  expect(isSameJson({ a: undefined }, { b: undefined })).toBe(false);
  expect(isSameJson([], {})).toBe(false);
});
