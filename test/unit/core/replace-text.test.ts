import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextReplacer } from '../../../src/core/replace-text.ts';
import { runAtOnce } from '../../../src/core/slices.ts';

const replace = (text: string, wanted: string) => runAtOnce(new TextReplacer(wanted).replace(text, '***'));

test('replaces what the engine replaces, in texts long enough for its own way', () => {
  const few = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(few, fc.nat(4), few, (unit, times, part) => {
      const wanted = unit.repeat(times + 1);
      const text = (part + wanted.slice(0, -1) + wanted).repeat(Math.ceil(600_000 / wanted.length / 8));
      const long = text.repeat(Math.ceil(500_001 / wanted.length / text.length));
      expect(replace(long, wanted)).toBe(long.replaceAll(wanted, '***'));
      expect(replace(part + wanted, wanted)).toBe((part + wanted).replaceAll(wanted, '***'));
    }),
    { numRuns: 50 },
  );
});

test('takes a text without a place as it is, and the wanted one literally', () => {
  expect(replace('nothing', 'here')).toBe('nothing');
  expect(replace('a.c abc', 'a.c')).toBe('*** abc');
  expect(replace('anything', '')).toBe('anything');
  expect(runAtOnce(new TextReplacer('x').replace('x', '$&'))).toBe('$&');
});

test('yields, and compares no more than twice for each character, whatever is made for it', () => {
  const wanted = `${'a'.repeat(4_000)}b${'a'.repeat(4_000)}`;
  const text = 'a'.repeat(1_000_000);
  const work = new TextReplacer(wanted).replace(text, '***');
  let slices = 0;
  while (!work.next().done) slices += 1;
  expect(slices).toBe(20);
});
