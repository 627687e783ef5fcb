import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intervalMsOf, lateQuota, nextSlot, slotAfter } from '../../../src/core/schedule.ts';

describe('slots', () => {
  test('come once an interval, always in the future, at the server’s own phase', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.integer({ min: 5_000, max: 86_400_000 }),
        fc.integer({ min: 0, max: 4_102_444_800_000 }),
        (id, intervalMs, nowMs) => {
          const slot = slotAfter(id, intervalMs, nowMs);
          expect(slot).toBeGreaterThan(nowMs);
          expect(slot - nowMs).toBeLessThanOrEqual(intervalMs);
          expect(slotAfter(id, intervalMs, slot)).toBe(slot + intervalMs);
        },
      ),
    );
  });

  test.each([
    ['counted ids', (index: number) => `server-${index}`],
    ['padded ids', (index: number) => String(index).padStart(8, '0')],
    ['long prefixes', (index: number) => `tenant-of-some-length/server/${index}`],
  ])('spread 10,000 servers evenly over the interval: %s', (_, idOf) => {
    const seconds = new Array<number>(300).fill(0);
    for (let index = 0; index < 10_000; index += 1) {
      const second = Math.floor((slotAfter(idOf(index), 300_000, 1_000_000_000_000) % 300_000) / 1000);
      seconds[second] = (seconds[second] ?? 0) + 1;
    }
    // 33 are to be expected in a second; twice that would be a burst.
    expect(Math.max(...seconds)).toBeLessThan(66);
    expect(Math.min(...seconds)).toBeGreaterThan(5);
  });
});

describe('nextSlot', () => {
  const request = {
    serverId: 'a',
    intervalMs: 300_000,
    nowMs: 1_000_000_000_000,
    confirmInMs: null,
    reason: 'ok',
  } as const;
  const regular = slotAfter('a', 300_000, request.nowMs);

  test('is the regular slot of a server that is well', () => {
    expect(nextSlot(request)).toBe(regular);
  });
  test('comes sooner to confirm a failure, and never later for it', () => {
    expect(nextSlot({ ...request, reason: 'refused', confirmInMs: 10_000 })).toBe(
      Math.min(regular, request.nowMs + 10_000),
    );
    expect(nextSlot({ ...request, reason: 'refused', confirmInMs: 9_999_999 })).toBe(regular);
  });
  test('waits as long as a 429 asks, and not for ever', () => {
    const limited = { ...request, reason: 'rate_limited' } as const;
    expect(nextSlot({ ...limited, retryAfterMs: 900_000 })).toBe(request.nowMs + 900_000);
    expect(nextSlot({ ...limited, retryAfterMs: 1 })).toBe(regular);
    expect(nextSlot({ ...limited, retryAfterMs: 1e15 })).toBe(request.nowMs + 3_600_000);
    expect(nextSlot(limited)).toBe(regular);
  });
});

test.each([
  [null, 300_000],
  [0, 300_000],
  [-5, 300_000],
  [1, 5_000],
  [60, 60_000],
])('an interval of %s s is %s ms', (seconds, ms) => {
  expect(intervalMsOf(seconds)).toBe(ms);
});

test('a backlog is taken at the pace of the fleet, and a small one at once', () => {
  expect(lateQuota(0.03, 1000)).toBe(20);
  expect(lateQuota(33.3, 1000)).toBe(34);
});
