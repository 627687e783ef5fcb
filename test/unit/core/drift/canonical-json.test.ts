import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, digestJson } from '../../../../src/core/drift/canonical-json.ts';
import { describeListing } from '../../../../src/core/drift/listing.ts';
import { parseInSlices } from '../../../../src/core/json/parse-in-slices.ts';
import type { Inventory } from '../../../../src/core/outcome.ts';
import { createTurns, runAtOnce, sortSliced } from '../../../../src/core/slices.ts';
import { EMPTY_INVENTORY } from '../../../support/outcomes.ts';

const canonical = (value: unknown): string => runAtOnce(canonicalJson(value));
const digest = (value: unknown, most = 1_000_000) => runAtOnce(digestJson(value, most));
const nest = (levels: number, core: unknown): unknown => {
  let value = core;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
};
/** The same value with the members of its objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

describe('canonical JSON', () => {
  test.each([
    [{ b: 1, a: [true, null] }, '{"a":[true,null],"b":1}'],
    [
      { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 },
      '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}',
    ],
    [
      JSON.parse('[1e21, 0.000001, 1e-7, -0, 333333333.33333329]'),
      '[1e+21,0.000001,1e-7,0,333333333.3333333]',
    ],
    ['\u0000\u001f"\\/\ud800', '"\\u0000\\u001f\\"\\\\/\\ud800"'],
    [{}, '{}'],
    [[], '[]'],
    [null, 'null'],
  ])('of %j', (value, text) => {
    expect(canonical(value)).toBe(text);
  });
  test('is JSON of the same value, whatever the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        expect(canonical(reversed(value))).toBe(text);
        expect(canonical(JSON.parse(text))).toBe(text);
      }),
    );
  });
  test('tells apart what differs 20,000 levels down', () => {
    const [one, other] = [digest(nest(20_000, 1), 100), digest(nest(20_000, 2), 100)];
    expect(one.hash).not.toBe(other.hash);
    expect(one).toMatchObject({ body: null, bytes: 120_001 });
    expect(digest(nest(20_000, 1)).hash).toBe(one.hash);
  });
  test('has the same hash whether its text is kept or not', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(digest(value, 0).hash).toBe(digest(value).hash);
      }),
    );
    expect(digest({ a: 1 }).hash).toMatch(/^v2:[A-Za-z0-9_-]{43}$/);
  });
});

describe('a listing', () => {
  const listed = (changes: Partial<Inventory>, name: string | null = 'server') =>
    runAtOnce(describeListing({ ...EMPTY_INVENTORY, ...changes }, name));
  const hashes = (...inventories: Partial<Inventory>[]) => inventories.map((each) => listed(each).hash);

  test('is the same in any order, and another one by any difference', () => {
    const [one, two] = [{ name: 'one', x: 1 }, { name: 'two' }];
    expect(listed({ tools: [one, two] }).hash).toBe(listed({ tools: [two, { x: 1, name: 'one' }] }).hash);
    const all = hashes(
      {},
      { tools: [one] },
      { tools: [{ ...one, description: '' }] },
      { tools: [{ ...one, 'x-vendor': 1 }] },
      { tools: [one, one] },
      { prompts: [one] },
      { tools: [{}] },
      { tools: [{ name: 7 }] },
    );
    expect(new Set([...all, listed({}, 'another').hash, listed({}, null).hash]).size).toBe(all.length + 2);
  });
  test('keeps the texts of what is of some size, and knows what is not', () => {
    const large = { name: 'large', description: 'x'.repeat(200_000) };
    const { definitions, tooLarge, tokens, items } = listed({ tools: [{ name: 'small' }, large] });
    expect([...definitions.values()].map(({ body }) => body)).toEqual(['{"name":"small"}', null]);
    expect([...tooLarge]).toEqual([large]);
    expect(tokens).toBe(4 + Math.ceil((200_000 + '{"description":"","name":"large"}'.length) / 4));
    expect(items.tools.map(([key]) => key)).toEqual(['large', 'small']);
  });
  test('shortens a name that no index takes, and still tells it from others', () => {
    const key = (end: string) => listed({ tools: [{ name: 'x'.repeat(5_000) + end }] }).items.tools[0]?.[0];
    expect(key('a')).not.toBe(key('b'));
    expect(key('a')?.length).toBeLessThan(600);
  });
});

describe('JSON in slices', () => {
  const parsed = (text: string, most?: number) => runAtOnce(parseInSlices(text, most));
  const long = (value: unknown) => ({ padding: 'x'.repeat(9_000), value, more: [value, 'x'.repeat(9_000)] });

  test('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, spaced) => {
        const text = JSON.stringify(long(value), null, spaced ? 2 : 0);
        expect(parsed(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });
  test('refuses what JSON.parse refuses', () => {
    const good = JSON.stringify(long({ a: [1, true, null, 'x\\"', { b: -1.5e3 }] }));
    fc.assert(
      fc.property(fc.nat(good.length), fc.constantFrom('', '"', ',', ']', '}', '\\', 'x', '0'), (at, put) => {
        const text = good.slice(0, at) + put + good.slice(at + 1);
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => parsed(text)).toThrow(SyntaxError);
          return;
        }
        expect(parsed(text)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
  test.each(['', ' ', '[', '{"a"', '{"a":1,}', '[1,]', '01', 'nul', '"a', '[1] 2'])('refuses %j', (text) => {
    expect(() => parsed(text)).toThrow(SyntaxError);
  });
  test('takes what is nested without end, and a member called __proto__', () => {
    expect(() => parsed('['.repeat(100_000) + ']'.repeat(100_000))).not.toThrow();
    const text = `{"__proto__":{"polluted":1},"x":"${'x'.repeat(9_000)}"}`;
    const value = parsed(text);
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
  test.each([
    ['values', `[${'[1],'.repeat(20_000)}1]`, 'more than 10000 values'],
    ['members', `[${'1,'.repeat(60_000)}1]`, 'more than 50000 members'],
    ['one text', `["${'x'.repeat(1_600_000)}"]`, 'is longer than'],
  ])('takes no more %s than it is told to', (_what, text, message) => {
    expect(() => parsed(text, message.includes('10000') ? 10_000 : undefined)).toThrow(message);
  });
});

test('sorting in slices is sorting, and keeps the order of equals', () => {
  const items = Array.from({ length: 5_000 }, (_, place) => ({ key: (place * 7_919) % 97, place }));
  const byKey = (one: { key: number }, other: { key: number }) => one.key - other.key;
  expect(runAtOnce(sortSliced(items, byKey))).toEqual([...items].sort(byKey));
});

test('turns are taken one after the other', async () => {
  const scheduled: (() => void)[] = [];
  const turn = createTurns((callback) => void scheduled.push(callback));
  const order: number[] = [];
  const all = [1, 2, 3].map((place) => turn().then(() => void order.push(place)));
  for (const done of [1, 2, 3]) {
    expect(scheduled).toHaveLength(1);
    scheduled.shift()?.();
    await all[done - 1];
    expect(order).toHaveLength(done);
  }
  expect(scheduled).toHaveLength(0);
});
