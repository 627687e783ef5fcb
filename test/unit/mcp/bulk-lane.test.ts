import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Sliced } from '../../../src/core/slices.ts';
import { BulkLane } from '../../../src/mcp/bulk-lane.ts';

const TURN_MS = 2;
const REST_RATIO = 3;

/** A clock that goes on by what a step takes and by what is rested, while a loop that others keep busy or not turns. */
let nowMs = 0;
let rests: number[] = [];
let isBusy = true;
vi.mock('../../../src/mcp/rests.ts', () => {
  const rest = (forMs: number, goOn: () => void) => {
    if (isBusy) {
      rests.push(forMs);
      nowMs += forMs;
    }
    setImmediate(goOn);
  };
  return { giveWay: rest, stepAside: rest };
});
beforeEach(() => {
  nowMs = 0;
  rests = [];
  isBusy = true;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => vi.restoreAllMocks());

let joined = 0;
/** The part of a probe of a target that nobody knows. */
const joinOf = (lane: BulkLane) => {
  joined += 1;
  return lane.join(`stranger ${joined}`);
};
/** A target whose last good probe took as long. */
async function know(lane: BulkLane, targetId: string, steps: number, stepMs: number): Promise<void> {
  const share = lane.join(targetId);
  await share.wait(work(steps, stepMs));
  share.leave(true);
}

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
    const shares = [joinOf(lane), joinOf(lane), joinOf(lane)];
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
      joinOf(lane).wait(
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
    const long = joinOf(lane)
      .wait(work(100, 1))
      .then(() => {
        isLongDone = true;
      });
    await joinOf(lane).wait(work(1, 0.1));
    expect(isLongDone).toBe(false);
    await long;
  });

  test('that fail are the affair of whoever asked', async () => {
    const lane = new BulkLane();
    const failing = (function* (): Sliced<string> {
      yield;
      throw new Error('no good');
    })();
    const other = joinOf(lane).wait(work(3, 1));
    await expect(joinOf(lane).wait(failing)).rejects.toThrow('no good');
    expect(await other).toBe('done');
  });

  test('small ones are done at once', async () => {
    const share = joinOf(new BulkLane());
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
    joinOf(lane);
    await joinOf(lane).wait(work(50, 1));
    // What is owed after the last turn is paid with the next one.
    expect(sum(rests)).toBeGreaterThanOrEqual((50 - TURN_MS) * REST_RATIO);
    expect(sum(rests)).toBeLessThanOrEqual(50 * REST_RATIO);
  });

  test('is owed by many small pieces as well', async () => {
    const lane = new BulkLane();
    joinOf(lane);
    const share = joinOf(lane);
    await Promise.all(Array.from({ length: 200 }, () => share.wait(work(1, 0))));
    expect(sum(rests)).toBeGreaterThan(0);
  });

  test('is not taken when nobody else is there, or has left', async () => {
    const lane = new BulkLane();
    const quiet = joinOf(lane);
    quiet.leave();
    await joinOf(lane).wait(work(50, 1));
    expect(rests).toEqual([]);
  });
});

describe('targets that are known for what they send', () => {
  /** How much all others have had when a known target's work of `steps` milliseconds was done. */
  async function othersUntilDone(lane: BulkLane, targetId: string, steps: number, strangers: number) {
    let others = 0;
    const enemies = Array.from({ length: strangers }, () => joinOf(lane));
    const endless = enemies.map((enemy) =>
      enemy.wait(
        work(100_000, 1, () => {
          others += 1;
        }),
      ),
    );
    await lane.join(targetId).wait(work(steps, 1));
    const until = others;
    for (const enemy of enemies) enemy.leave();
    await Promise.allSettled(endless);
    return until;
  }

  test('do not wait for those who are not', async () => {
    const lane = new BulkLane();
    expect(await othersUntilDone(lane, 'known', 20, 64)).toBeGreaterThan(500);
    await know(lane, 'known', 20, 1);
    expect(await othersUntilDone(lane, 'known', 20, 64)).toBeLessThanOrEqual(20 + TURN_MS);
  });

  test('wait with them for what goes beyond it, however good they were', async () => {
    const lane = new BulkLane();
    await know(lane, 'traitor', 10, 1);
    expect(await othersUntilDone(lane, 'traitor', 18, 64)).toBeLessThanOrEqual(20);
    await know(lane, 'traitor', 10, 1);
    expect(await othersUntilDone(lane, 'traitor', 40, 64)).toBeGreaterThan(500);
  });

  test('have no more turns among them once it is used up, however many pieces wait already', async () => {
    const lane = new BulkLane();
    await know(lane, 'traitor', 4, 1);
    await know(lane, 'known', 10, 1);
    const traitor = lane.join('traitor');
    let pieces = 0;
    const order: number[] = [];
    const piece = (number: number) =>
      traitor.wait(
        work(1, 0.1, () => {
          pieces += 1;
          order.push(number);
        }),
      );
    const burst = Array.from({ length: 2_000 }, (_, number) => piece(number));
    await lane.join('known').wait(work(10, 1));
    // 8 ms of pieces, and what the others do meanwhile.
    expect(pieces).toBeLessThan(200);
    const last = piece(2_000);
    await Promise.all([...burst, last]);
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  test('may cost so much and no more, whatever they have cost before', async () => {
    const lane = new BulkLane();
    await know(lane, 'huge', 1_000, 1);
    const share = lane.join('huge');
    await share.wait(work(49, 1));
    expect(share.isKnown).toBe(true);
    await share.wait(work(1, 1));
    expect(share.isKnown).toBe(false);
  });

  test('are not known any more once they have cost more and were not good', async () => {
    const lane = new BulkLane();
    await know(lane, 'traitor', 10, 1);
    const within = lane.join('traitor');
    await within.wait(work(5, 1));
    within.leave(false);
    expect(lane.join('traitor').isKnown).toBe(true);
    const beyond = lane.join('traitor');
    await beyond.wait(work(21, 1));
    beyond.leave(false);
    expect(lane.join('traitor').isKnown).toBe(false);
  });

  test('are those whose probes were good and sent much', async () => {
    const lane = new BulkLane();
    const bad = lane.join('bad');
    await bad.wait(work(10, 1));
    bad.leave(false);
    expect(lane.join('bad').isKnown).toBe(false);
    lane.join('small').leave(true);
    expect(lane.join('small').isKnown).toBe(false);
  });

  test('sixty-four that turn hostile at once hold up neither a known one nor a stranger for long', async () => {
    const lane = new BulkLane();
    const names = Array.from({ length: 64 }, (_, index) => `traitor ${index}`);
    for (const name of [...names, 'known']) await know(lane, name, 10, 1);
    let taken = 0;
    const traitors = names.map((name) => lane.join(name));
    const endless = traitors.map((traitor) =>
      traitor.wait(
        work(100_000, 1, () => {
          taken += 1;
        }),
      ),
    );
    await lane.join('known').wait(work(10, 1));
    // Their turns come between its own, and never more than twice what they were known for.
    expect(taken).toBeLessThanOrEqual(64 * 22);
    await joinOf(lane).wait(work(2, 1));
    expect(taken).toBeLessThanOrEqual(64 * 24);
    // Beside those who send little, all of them together have had a quarter of the time.
    const quiet = joinOf(lane);
    const [from, before] = [nowMs, taken];
    await joinOf(lane).wait(work(2, 1));
    expect((taken - before) / (nowMs - from)).toBeLessThan(0.3);
    quiet.leave();
    for (const traitor of traitors) traitor.leave();
    await Promise.allSettled(endless);
  });
});

test('rests are for others: those who have no use for the loop are not waited for', async () => {
  isBusy = false;
  const lane = new BulkLane();
  joinOf(lane);
  await joinOf(lane).wait(work(50, 1));
  expect(nowMs).toBe(50);
});

describe('a probe that is over', () => {
  test('gives up what waits, and nobody else does', async () => {
    const lane = new BulkLane();
    const [leaving, staying] = [joinOf(lane), joinOf(lane)];
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
    const share = joinOf(new BulkLane());
    share.leave();
    await expect(share.wait(work(1, 1))).rejects.toThrow('the probe is over');
  });

  test('is asked before each step', async () => {
    let isOver = false;
    let steps = 0;
    const waiting = joinOf(new BulkLane()).wait(
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
  const [few, much, many] = [joinOf(lane), joinOf(lane), joinOf(lane)];
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
    fc.asyncProperty(fc.array(job, { maxLength: 20 }), fc.boolean(), async (jobs, someAreKnown) => {
      const lane = new BulkLane();
      // Within their allowance, and soon beyond it.
      if (someAreKnown) for (const name of ['0', '1', '2']) await know(lane, name, 3, 1);
      const shares = Array.from({ length: 5 }, (_, number) => lane.join(String(number)));
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
      if (someAreKnown) return;
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
