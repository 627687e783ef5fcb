import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, minutesOf, parsePacked, repackShifts } from '../../../../src/core/history/fold-checks.ts';
import {
  bucketOf,
  COUNTED_VERDICTS,
  countChecks,
  EMPTY_BUCKET,
  type HealthBucket,
  mergeBuckets,
  UP_VERDICTS,
} from '../../../../src/core/history/health-bucket.ts';
import { pointOf, unpackPoint } from '../../../../src/core/history/history-point.ts';
import { type Check, judgeCheck } from '../../../../src/core/history/judge-check.ts';
import { GRAIN_MS } from '../../../../src/core/history/tiers.ts';
import { worstOf } from '../../../../src/core/history/worst-reason.ts';
import { REASON_CODES, REASONS, VERDICTS } from '../../../../src/core/reasons.ts';

const check = fc
  .record({
    reason: fc.constantFrom(...REASON_CODES),
    told: fc.boolean(),
    responseMs: fc.option(fc.integer({ min: 0, max: 86_400_000 })),
    atMs: fc.integer({ min: 0, max: 3 * 86_400_000 }),
  })
  .map(
    ({ reason, told, ...rest }): Check => ({
      serverId: 'a',
      verdict: REASONS[reason].verdict,
      reason: told ? reason : null,
      ...rest,
    }),
  );
const bucketsOf = fc
  .array(check, { maxLength: 20 })
  .map((checks) => checks.map(bucketOf).reduce(mergeBuckets, EMPTY_BUCKET));
/** Counts, whatever the order of their keys. */
const same = (one: HealthBucket, other: HealthBucket) => expect(one).toEqual(other);

describe('mergeBuckets', () => {
  test('in any order, and grouped in any way', () => {
    fc.assert(
      fc.property(bucketsOf, bucketsOf, bucketsOf, (a, b, c) => {
        same(mergeBuckets(mergeBuckets(a, b), c), mergeBuckets(a, mergeBuckets(b, c)));
        same(mergeBuckets(a, b), mergeBuckets(b, a));
        same(mergeBuckets(a, EMPTY_BUCKET), a);
      }),
    );
  });

  test('what counts is what health_status says of a verdict', () => {
    expect(UP_VERDICTS).toEqual(['up', 'degraded']);
    expect(COUNTED_VERDICTS).toEqual(['up', 'degraded', 'down', 'unauthenticated']);
    expect(countChecks({ up: 5, degraded: 1, down: 2, waking: 3, unknown: 1 })).toEqual({
      checks: 12,
      counted: 8,
      up: 6,
    });
  });

  test('days folded from hours are days folded from minutes', () => {
    fc.assert(
      fc.property(fc.array(check, { maxLength: 60 }), (checks) => {
        const minutes = minutesOf(checks);
        const byAt = (one: { atMs: number }, other: { atMs: number }) => one.atMs - other.atMs;
        expect(fold(fold(minutes, GRAIN_MS.hour), GRAIN_MS.day).sort(byAt)).toEqual(
          fold(minutes, GRAIN_MS.day).sort(byAt),
        );
      }),
    );
  });
});

describe('worstOf', () => {
  test.each<[string, Parameters<typeof worstOf>, ReturnType<typeof worstOf>]>([
    ['nothing', [{}, {}], null],
    ['all is well', [{ up: 9 }, {}], { verdict: 'up', reason: 'ok' }],
    [
      'severity before count',
      [
        { up: 90, degraded: 9, down: 1 },
        { slow: 9, dns: 1 },
      ],
      { verdict: 'down', reason: 'dns' },
    ],
    ['count within a verdict', [{ down: 5 }, { dns: 2, refused: 3 }], { verdict: 'down', reason: 'refused' }],
    ['most gave none', [{ down: 9 }, { dns: 2 }], { verdict: 'down', reason: null }],
    ['a reason before none', [{ down: 4 }, { dns: 2 }], { verdict: 'down', reason: 'dns' }],
  ])('%s', (_what, input, expected) => expect(worstOf(...input)).toEqual(expected));

  test('of equals the first in the list, whatever order they came in', () => {
    const downs = REASON_CODES.filter((reason) => REASONS[reason].verdict === 'down');
    fc.assert(
      fc.property(fc.shuffledSubarray(downs, { minLength: 1 }), (reasons) => {
        const counts = Object.fromEntries(reasons.map((reason) => [reason, 2]));
        expect(worstOf({ down: 2 * reasons.length }, counts)?.reason).toBe(
          downs.find((reason) => reasons.includes(reason)),
        );
      }),
    );
  });
});

test('a packed point says what its bucket does', () => {
  fc.assert(
    fc.property(fc.array(bucketsOf, { minLength: 3, maxLength: 3 }), (buckets) => {
      const shifts = buckets.map((bucket, place) => ({
        serverId: 'a',
        atMs: place * GRAIN_MS.shift,
        bucket,
      }));
      // One at a time, and the first of them twice: as amended rows come.
      const packed = [...shifts, ...shifts.slice(0, 1)].reduceRight(
        (text, shift) => repackShifts(text, [shift]),
        '',
      );
      expect(parsePacked(packed).map((point) => unpackPoint(point[0] * GRAIN_MS.shift, point))).toEqual(
        shifts.map(({ atMs, bucket }) => pointOf(atMs, bucket)),
      );
    }),
  );
});

describe('judgeCheck', () => {
  const row = { serverId: 'a', atMs: 500, status: 'healthy', responseMs: 5, verdict: null, reason: null };
  const bounds = { oldestMs: 100, latestMs: 1_000 };
  const judged = (changes: Partial<Parameters<typeof judgeCheck>[0]>) =>
    judgeCheck({ ...row, ...changes }, bounds);

  test.each([
    [{ atMs: 1_001 }, 'future'],
    [{ atMs: Number.POSITIVE_INFINITY }, 'future'],
    [{ atMs: 99 }, 'too_old'],
    [{ atMs: Number.NEGATIVE_INFINITY }, 'too_old'],
    [{ responseMs: -1 }, 'bad_response_time'],
    [{ responseMs: 2_147_483_647 }, 'bad_response_time'],
  ])('%o is set aside', (changes, why) => expect(judged(changes)).toEqual({ check: null, setAside: why }));

  test.each([
    [{}, 'up', null],
    [{ status: 'timeout' }, 'down', null],
    [{ status: 'odd' }, 'unknown', null],
    [{ status: 'timeout', verdict: 'waking', reason: 'waking' }, 'waking', 'waking'],
    [{ verdict: 'no such' }, 'up', null],
    [{ verdict: 'down', reason: 'ok' }, 'down', null],
    [{ verdict: 'down', reason: 'constructor' }, 'down', null],
  ])('%o', (changes, verdict, reason) => expect(judged(changes).check).toMatchObject({ verdict, reason }));
  test('every verdict of ours is taken as it is', () => {
    for (const verdict of VERDICTS) expect(judged({ verdict }).check?.verdict).toBe(verdict);
  });
});
