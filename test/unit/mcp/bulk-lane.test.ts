import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Sliced } from '../../../src/core/slices.ts';
import { BulkLane } from '../../../src/mcp/bulk-lane.ts';

const TURN_MS = 2;
const REST_RATIO = 3;

/** A clock that goes on by what a step takes, and timers that come at once and are written down. */
let nowMs = 0;
let rests: number[] = [];
beforeEach(() => {
  nowMs = 0;
  rests = [];
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void, delayMs: number) => {
    rests.push(delayMs);
    return setImmediate(callback);
  }) as never);
});
afterEach(() => vi.restoreAllMocks());

/** Work of some steps, each of which takes `stepMs` and is told. */
function* work(steps: number, stepMs: number, onStep: () => void = () => undefined): Sliced<string> {
  for (let step = 1; ; step += 1) {
    nowMs += stepMs;
    onStep();
    if (step === steps) return 'done';
    yield;
  }
}
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe('works', () => {
  test('of one step are done in the order in which they came', async () => {
    const lane = new BulkLane();
    const shares = [lane.join(), lane.join(), lane.join()];
    const seen: number[] = [];
    const numbers = Array.from({ length: 30 }, (_, index) => index);
    await Promise.all(
      numbers.map((number) => shares[number % 3]?.wait(work(1, 0.7, () => seen.push(number)))),
    );
    expect(seen).toEqual(numbers);
  });

  test('that are long take turns, so that none is more than a turn ahead of another', async () => {
    const lane = new BulkLane();
    const done = [0, 0, 0];
    const ahead: number[] = [];
    const takes = done.map((_, index) =>
      lane.join().wait(
        work(40, 0.5, () => {
          done[index] = (done[index] ?? 0) + 1;
          ahead.push(Math.max(...done) - Math.min(...done));
        }),
      ),
    );
    expect(await Promise.all(takes)).toEqual(['done', 'done', 'done']);
    expect(done).toEqual([40, 40, 40]);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(TURN_MS / 0.5);
  });

  test('that are short do not wait for a long one to be done', async () => {
    const lane = new BulkLane();
    let isLongDone = false;
    const long = lane
      .join()
      .wait(work(100, 1))
      .then(() => {
        isLongDone = true;
      });
    await lane.join().wait(work(1, 0.1));
    expect(isLongDone).toBe(false);
    await long;
  });

  test('that fail are the affair of whoever asked', async () => {
    const lane = new BulkLane();
    const failing = (function* (): Sliced<string> {
      yield;
      throw new Error('no good');
    })();
    const other = lane.join().wait(work(3, 1));
    await expect(lane.join().wait(failing)).rejects.toThrow('no good');
    expect(await other).toBe('done');
  });

  test('small ones are done at once', async () => {
    const share = new BulkLane().join();
    const before = nowMs;
    const running = share.run(work(3, 0.2));
    expect(nowMs - before).toBeCloseTo(0.6);
    expect(await running).toBe('done');
    expect(share.isBulky).toBe(false);
  });
});

describe('rest', () => {
  test('follows work while there are probes that send little', async () => {
    const lane = new BulkLane();
    lane.join();
    await lane.join().wait(work(50, 1));
    // What is owed after the last turn is paid with the next one.
    expect(sum(rests)).toBeGreaterThanOrEqual((50 - TURN_MS) * REST_RATIO);
    expect(sum(rests)).toBeLessThanOrEqual(50 * REST_RATIO);
  });

  test('is owed by many small pieces as well', async () => {
    const lane = new BulkLane();
    lane.join();
    const share = lane.join();
    await Promise.all(Array.from({ length: 200 }, () => share.wait(work(1, 0))));
    expect(sum(rests)).toBeGreaterThan(0);
  });

  test('is not taken when nobody else is there, or has left', async () => {
    const lane = new BulkLane();
    const quiet = lane.join();
    quiet.leave();
    await lane.join().wait(work(50, 1));
    expect(rests).toEqual([]);
  });
});

describe('a probe that is over', () => {
  test('gives up what waits, and nobody else does', async () => {
    const lane = new BulkLane();
    const [leaving, staying] = [lane.join(), lane.join()];
    let steps = 0;
    const given = leaving.wait(
      work(100, 1, () => {
        steps += 1;
        // Before the turn of those behind it.
        if (steps === 1) setImmediate(() => leaving.leave());
      }),
    );
    const queued = leaving.wait(work(1, 1, () => expect.fail('it was done')));
    const other = staying.wait(work(100, 1));
    for (const left of await Promise.allSettled([given, queued]))
      expect(left).toMatchObject({ status: 'rejected', reason: { message: 'the probe is over' } });
    expect(steps).toBeLessThan(100);
    expect(await other).toBe('done');
  });

  test('is given no more turns', async () => {
    const share = new BulkLane().join();
    share.leave();
    await expect(share.wait(work(1, 1))).rejects.toThrow('the probe is over');
  });

  test('is asked before each step', async () => {
    let isOver = false;
    let steps = 0;
    const waiting = new BulkLane().join().wait(
      work(10, 1, () => {
        steps += 1;
        isOver = steps === 4;
      }),
      () => isOver,
    );
    await expect(waiting).rejects.toThrow('the probe is over');
    expect(steps).toBe(4);
  });
});

test('whoever has sent little does not wait, and whoever has sent much, or many pieces, does', () => {
  const lane = new BulkLane();
  const [few, much, many] = [lane.join(), lane.join(), lane.join()];
  expect(few.mustWait(1_000)).toBe(false);
  expect(few.mustWait(60_000)).toBe(false);
  expect(few.mustWait(10_000)).toBe(true);
  expect(much.mustWait(100_000)).toBe(true);
  expect(much.mustWait(1)).toBe(true);
  expect(Array.from({ length: 200 }, () => many.mustWait(1)).filter(Boolean).length).toBeGreaterThan(50);
});

test('whatever is asked for: all of it settles, and each gets his turn before another has two', async () => {
  const job = fc.record({
    share: fc.nat(4),
    steps: fc.integer({ min: 1, max: 12 }),
    stepMs: fc.double({ min: 0, max: 1, noNaN: true }),
    leavesAt: fc.option(fc.integer({ min: 1, max: 12 }), { freq: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { maxLength: 20 }), async (jobs) => {
      const lane = new BulkLane();
      const shares = Array.from({ length: 5 }, () => lane.join());
      const left = new Set<number>();
      /** Which job had each turn, while more than one was unfinished. */
      const turns: number[] = [];
      const unfinished = new Set(jobs.keys());
      const settled = await Promise.allSettled(
        jobs.map(async ({ share, steps, stepMs, leavesAt }, place) => {
          let step = 0;
          const onStep = () => {
            step += 1;
            expect(left.has(share), 'a step of one who has left').toBe(false);
            if (turns.at(-1) !== place) turns.push(place);
            if (step !== leavesAt) return;
            left.add(share);
            shares[share]?.leave();
          };
          try {
            return await shares[share]?.wait(work(steps, stepMs, onStep));
          } finally {
            unfinished.delete(place);
          }
        }),
      );
      expect(unfinished.size).toBe(0);
      for (const [place, { status }] of settled.entries()) {
        const { share } = jobs[place] ?? { share: -1 };
        if (!left.has(share)) expect(status).toBe('fulfilled');
      }
      // Between two turns of one, everybody who waited since before the first has had one.
      const lastTurn = new Map<number, number>();
      for (const [at, place] of turns.entries()) {
        const before = lastTurn.get(place);
        lastTurn.set(place, at);
        if (before === undefined) continue;
        const between = new Set(turns.slice(before + 1, at));
        const waiting = [...jobs.keys()].filter(
          (other) => other !== place && turns.indexOf(other) < before && turns.lastIndexOf(other) > at,
        );
        for (const other of waiting) expect(between.has(other)).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});
