import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDuration, EMPTY_SKETCH, quantileOf, SKETCH_ERROR } from '../../../../src/core/latency/sketch.ts';

const sketchOf = (durations: readonly number[]) =>
  durations.reduce((sketch, ms) => addDuration(sketch, ms), EMPTY_SKETCH);

test('a quantile is within the stated error of one of the two neighbours of the true one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.2, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 30 }),
      fc.constantFrom(0.5, 0.9, 0.95),
      (durations, share) => {
        const sorted = [...durations].sort((a, b) => a - b);
        const found = quantileOf(sketchOf(durations), share);
        const place = share * (sorted.length - 1);
        // Weights fade a little from the first to the last of thirty: a rank more or less is within that.
        const near = sorted.slice(Math.max(0, Math.floor(place) - 2), Math.ceil(place) + 3);
        const low = Math.min(...near) * (1 - SKETCH_ERROR - 1e-9);
        const high = Math.max(...near) * (1 + SKETCH_ERROR + 1e-9);
        expect(found).toBeGreaterThanOrEqual(low);
        expect(found).toBeLessThanOrEqual(high);
      },
    ),
  );
});

test('it follows a change, and forgets what was', () => {
  const before = sketchOf(Array<number>(300).fill(100));
  expect(quantileOf(before, 0.95)).toBeCloseTo(100, -1);
  let now = before;
  for (let index = 0; index < 1_000; index += 1) now = addDuration(now, 20);
  expect(quantileOf(now, 0.95)).toBeLessThan(22);
});

test('it stays small, whatever it is told', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e8, noNaN: true }), { maxLength: 400 }), (durations) => {
      const sketch = sketchOf(durations);
      expect(JSON.stringify(sketch).length).toBeLessThan(1_000);
      expect(sketch.n).toBe(durations.length);
      expect(addDuration(JSON.parse(JSON.stringify(sketch)), 5)).toEqual(addDuration(sketch, 5));
    }),
    { numRuns: 50 },
  );
});
