import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseStep, pointsOf } from '../../../../src/core/history/choose-step.ts';
import { coverRange } from '../../../../src/core/history/cover-range.ts';
import { floorTo, GRAIN_MS, TIERS, type TierSince, wholeSince } from '../../../../src/core/history/tiers.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const NOW = Date.parse('2026-03-04T10:20:30Z');
const always = Number.NEGATIVE_INFINITY;
const EVERYTHING: TierSince = { minute: always, hour: always, shift: always, day: always };
const USUAL: TierSince = {
  minute: floorTo(NOW - 2 * DAY, MINUTE),
  hour: floorTo(NOW - 91 * DAY, HOUR),
  shift: floorTo(NOW - 91 * DAY, 8 * HOUR),
  day: always,
};

describe('chooseStep', () => {
  test.each([
    ['an hour', HOUR, 300, 1, 'minute', MINUTE, 61],
    ['six hours', 6 * HOUR, 300, 1, 'minute', 2 * MINUTE, 181],
    ['a week: minutes are gone', 7 * DAY, 300, 1, 'hour', HOUR, 169],
    ['a month', 30 * DAY, 300, 1, 'hour', 4 * HOUR, 181],
    ['three months of many servers', 90 * DAY, 300, 100, 'shift', 8 * HOUR, 271],
    ['a month of many servers', 30 * DAY, 300, 100, 'shift', 8 * HOUR, 91],
    ['a year', 365 * DAY, 300, 1, 'day', 2 * DAY, 183],
    ['one point', 30 * DAY, 1, 1, 'day', 31 * DAY, 1],
  ] as const)('%s', (_what, rangeMs, maxPoints, servers, tier, stepMs, points) => {
    const step = chooseStep({ fromMs: NOW - rangeMs, toMs: NOW, maxPoints, servers }, USUAL);
    expect(step.tier).toBe(tier);
    if (maxPoints > 1) expect(step.stepMs).toBe(stepMs);
    expect(Math.abs(pointsOf(step) - points)).toBeLessThanOrEqual(1);
  });

  test('never more points than asked for, over all of the range, in whole points', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1100 * DAY }),
        fc.integer({ min: 0, max: 30 * DAY }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        (rangeMs, agoMs, maxPoints, servers) => {
          const [fromMs, toMs] = [NOW - agoMs - rangeMs, NOW - agoMs];
          const step = chooseStep({ fromMs, toMs, maxPoints, servers }, USUAL);
          expect(pointsOf(step)).toBeLessThanOrEqual(maxPoints);
          expect(Number.isInteger(pointsOf(step))).toBe(true);
          expect(step.fromMs).toBeLessThanOrEqual(fromMs);
          expect(step.toMs).toBeGreaterThanOrEqual(toMs);
          expect(step.stepMs % GRAIN_MS[step.tier]).toBe(0);
          expect(USUAL[step.tier]).toBeLessThanOrEqual(fromMs);
        },
      ),
    );
  });
});

describe('coverRange', () => {
  test('whole days in the middle, finer towards both ends', () => {
    const from = Date.parse('2026-03-01T06:58:30Z');
    const to = Date.parse('2026-03-03T09:01:10Z');
    const parts = coverRange(from, to, EVERYTHING).map(({ tier, fromMs, toMs }) => [
      tier,
      new Date(fromMs).toISOString().slice(8, 16),
      new Date(toMs).toISOString().slice(8, 16),
    ]);
    expect(parts).toEqual([
      ['minute', '01T06:58', '01T07:00'],
      ['hour', '01T07:00', '01T08:00'],
      ['shift', '01T08:00', '02T00:00'],
      ['day', '02T00:00', '03T00:00'],
      ['shift', '03T00:00', '03T08:00'],
      ['hour', '03T08:00', '03T09:00'],
      ['minute', '03T09:00', '03T09:02'],
    ]);
  });

  test('without gaps or overlaps, of whole buckets of tiers that are there, and hardly more than the range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 * DAY }),
        fc.integer({ min: 0, max: 200 * DAY }),
        fc.boolean(),
        (rangeMs, agoMs, all) => {
          const since = all ? EVERYTHING : USUAL;
          const [fromMs, toMs] = [NOW - agoMs - rangeMs, NOW - agoMs];
          const parts = coverRange(fromMs, toMs, since);
          let atMs = parts[0]?.fromMs ?? 0;
          expect(atMs).toBeLessThanOrEqual(fromMs);
          for (const part of parts) {
            expect(part.fromMs).toBe(atMs);
            expect(part.fromMs % GRAIN_MS[part.tier]).toBe(0);
            expect(part.toMs % GRAIN_MS[part.tier]).toBe(0);
            expect(part.toMs).toBeGreaterThan(part.fromMs);
            expect(since[part.tier]).toBeLessThanOrEqual(Math.max(part.fromMs, fromMs));
            atMs = part.toMs;
          }
          expect(atMs).toBeGreaterThanOrEqual(toMs);
          const finest = TIERS.find((tier) => since[tier] <= fromMs) ?? 'day';
          expect(fromMs - (parts[0]?.fromMs ?? 0)).toBeLessThan(GRAIN_MS[finest]);
        },
      ),
    );
  });

  test('nothing of an empty range', () => expect(coverRange(NOW, NOW, EVERYTHING)).toEqual([]));
});

describe('wholeSince', () => {
  const oldest = (minute: number | null, hour: number | null, shift: number | null, day: number | null) => ({
    minute,
    hour,
    shift,
    day,
  });
  test('a young fleet lacks nothing', () => {
    const start = NOW - 3 * HOUR;
    const grains = TIERS.map((tier) => floorTo(start, GRAIN_MS[tier]));
    const [minute = 0, hour = 0, shift = 0, day = 0] = grains;
    expect(wholeSince(oldest(minute, hour, shift, day))).toEqual(EVERYTHING);
    expect(wholeSince(oldest(null, null, null, null))).toEqual(EVERYTHING);
  });
  test('what was deleted is known by what a coarser tier still has', () => {
    const day = floorTo(NOW - 400 * DAY, DAY);
    const { minute, hour, shift } = USUAL;
    expect(wholeSince(oldest(minute, hour, shift, day))).toEqual({ minute, hour: shift, shift, day: always });
    expect(wholeSince(oldest(null, hour, shift, day)).minute).toBe(Number.POSITIVE_INFINITY);
  });
});
