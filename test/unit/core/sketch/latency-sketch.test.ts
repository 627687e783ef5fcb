import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  binOf,
  countOf,
  LAST_BIN,
  LONGEST_MS,
  mergeSketches,
  quantileOf,
  SKETCH_ERROR,
  sketchOf,
} from '../../../../src/core/sketch/latency-sketch.ts';

const duration = fc.oneof(
  fc.integer({ min: 0, max: 100_000 }),
  fc.double({ min: 0.011, max: LONGEST_MS, noNaN: true }),
);
const durations = fc.array(duration, { minLength: 1, maxLength: 300 });

/** The nearest rank: what PostgreSQL calls percentile_disc. */
function exactQuantile(values: number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
}

describe('a latency sketch', () => {
  test('gives every quantile within its error, which is below 1%', () => {
    expect(SKETCH_ERROR).toBeLessThan(0.01);
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const exact = exactQuantile(values, share);
        const read = quantileOf(sketchOf(values), share) ?? Number.NaN;
        expect(Math.abs(read - exact)).toBeLessThanOrEqual(exact * (SKETCH_ERROR + 1e-9));
      }),
    );
  });

  test('merges in any order and grouping to the sketch of all', () => {
    fc.assert(
      fc.property(durations, durations, durations, (a, b, c) => {
        const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)];
        const whole = sketchOf([...a, ...b, ...c]);
        expect(mergeSketches(mergeSketches(x, y), z)).toEqual(whole);
        expect(mergeSketches(x, mergeSketches(y, z))).toEqual(whole);
        expect(mergeSketches(z, y, x)).toEqual(whole);
        expect(countOf(whole)).toBe(a.length + b.length + c.length);
      }),
    );
  });

  test.each([
    [0, 0],
    [-5, 0],
    [Number.NaN, 0],
    [0.01, 0],
    [0.0100001, 1],
    [LONGEST_MS, LAST_BIN],
    [1e300, LAST_BIN],
    [Number.POSITIVE_INFINITY, LAST_BIN],
  ])('%d ms is in bin %d', (ms, bin) => expect(binOf(ms)).toBe(bin));

  test('that is empty has no quantile', () => {
    expect(quantileOf([], 0.5)).toBeNull();
    expect(mergeSketches([], [])).toEqual([]);
  });
});
