import { describe, expect, test } from 'vitest';
import {
  judgeLatency,
  type LatencyJudgement,
  type TimedProbe,
} from '../../../../src/core/latency/judge-latency.ts';
import { FRESH_LATENCY, type LatencyMemory } from '../../../../src/core/latency/latency-memory.ts';
import { quantileOf } from '../../../../src/core/latency/sketch.ts';
import { DEFAULT_POLICY, type LatencyPolicy } from '../../../../src/core/policy.ts';
import { REASONS } from '../../../../src/core/reasons.ts';
import { run, START_MS, saw, stateOf, step } from '../../../support/health.ts';

const POLICY = DEFAULT_POLICY.latency;
const INTERVAL_MS = 300_000;
const IDLE_MS = 3_600_000;

interface Told {
  memory: LatencyMemory;
  judgements: LatencyJudgement[];
}

/** Tells it of probes in turn: how long after the one before, and what of them is unusual. */
function tell(
  probes: readonly ({ afterMs?: number } & Partial<TimedProbe>)[],
  before: LatencyMemory = FRESH_LATENCY,
  policy: LatencyPolicy = POLICY,
): Told {
  let memory = before;
  const judgements = probes.map(({ afterMs = INTERVAL_MS, ...changes }) => {
    const totalMs = changes.totalMs ?? 100;
    const probe: TimedProbe = {
      atMs: (memory.lastMs ?? START_MS) + afterMs,
      verdict: REASONS[changes.reason ?? 'ok'].verdict,
      reason: 'ok',
      totalMs,
      phases: { connect: 10, handshake: totalMs - 20, ping: 10 },
      manual: false,
      ...changes,
    };
    const result = judgeLatency(memory, probe, policy);
    memory = result.memory;
    return result.judgement;
  });
  return { memory, judgements };
}

const times = (count: number, probe: { afterMs?: number } & Partial<TimedProbe> = {}) =>
  Array.from({ length: count }, () => probe);
const kinds = ({ judgements }: Told) => judgements.map(({ kind }) => kind);
const warm = tell(times(30)).memory;
/** Warm in a tenth of a second, cold in two. */
const sleeper = tell(
  times(6).flatMap(() => [{ afterMs: IDLE_MS, totalMs: 2_000 }, ...times(4)]),
  warm,
).memory;

describe('what is learned', () => {
  test('warm and cold apart; the interval itself is no idleness, and the first probe is neither', () => {
    expect([warm.warm.total.n, warm.cold.total.n]).toEqual([29, 0]);
    expect([sleeper.warm.total.n, sleeper.cold.total.n]).toEqual([29 + 24, 6]);
    expect(quantileOf(sleeper.warm.total, 0.95)).toBeCloseTo(100, -1);
    expect(quantileOf(sleeper.cold.total, 0.95) / 2_000).toBeCloseTo(1, 1);
  });

  test('each phase of its own, and nothing of a failure or of the answer after one', () => {
    expect(quantileOf(warm.warm.phases.connect ?? { n: 0, b: {} }, 0.95)).toBeCloseTo(10, 0);
    const { memory } = tell([{ reason: 'closed' }, { totalMs: 5_000 }], warm);
    expect(memory.warm).toEqual(warm.warm);
    expect(memory.cold).toEqual(warm.cold);
  });
});

describe('waking', () => {
  test.each<[string, { afterMs?: number } & Partial<TimedProbe>, string]>([
    ['a slow first answer within its cold range', { afterMs: IDLE_MS, totalMs: 2_500 }, 'waking'],
    ['a quick first answer', { afterMs: IDLE_MS, totalMs: 110 }, 'usual'],
    ['one that is slow for a cold start, too', { afterMs: IDLE_MS, totalMs: 30_000 }, 'slow'],
    ['the same slow answer without idleness', { totalMs: 2_500 }, 'slow'],
    [
      'a deadline that passes while it starts',
      { afterMs: IDLE_MS, totalMs: 5_000, reason: 'timeout_handshake' },
      'waking',
    ],
    [
      'one that is longer than any cold start',
      { afterMs: IDLE_MS, totalMs: 30_000, reason: 'timeout_connect' },
      'usual',
    ],
    ['one without idleness', { totalMs: 5_000, reason: 'timeout_handshake' }, 'usual'],
    ['a refusal after idleness', { afterMs: IDLE_MS, totalMs: 1, reason: 'refused' }, 'usual'],
    ['a listing that hangs', { afterMs: IDLE_MS, totalMs: 5_000, reason: 'timeout_list' }, 'usual'],
  ])('%s', (_, probe, kind) => {
    expect(kinds(tell([probe], sleeper))).toEqual([kind]);
  });

  test('is not said of a server whose cold starts are not known', () => {
    expect(kinds(tell([{ afterMs: IDLE_MS, totalMs: 2_500 }], warm))).toEqual(['usual']);
    expect(kinds(tell([{ afterMs: IDLE_MS, totalMs: 5_000, reason: 'timeout_handshake' }], warm))).toEqual([
      'usual',
    ]);
  });

  test('is said once: a second failure counts, and what answers after it may still be slow', () => {
    const timeout = { totalMs: 5_000, reason: 'timeout_handshake' } as const;
    expect(
      kinds(
        tell(
          [
            { ...timeout, afterMs: IDLE_MS },
            { ...timeout, afterMs: 10_000 },
            { ...timeout, afterMs: IDLE_MS },
          ],
          sleeper,
        ),
      ),
    ).toEqual(['waking', 'usual', 'usual']);
    expect(
      kinds(tell([{ ...timeout, afterMs: IDLE_MS }, { afterMs: 10_000, totalMs: 1_900 }, {}], sleeper)),
    ).toEqual(['waking', 'waking', 'usual']);
  });

  test('moves no counter, is looked at again soon, and becomes an outage at the second failure', () => {
    const state = { ...stateOf('active'), latency: sleeper };
    const atMs = (sleeper.lastMs ?? 0) + IDLE_MS;
    const first = step(state, saw('timeout_handshake', { atMs, totalMs: 5_000 }));
    expect(first).toMatchObject({
      own: { verdict: 'waking', reason: 'waking' },
      healthStatus: 'unknown',
      status: 'active',
      confirmInMs: 10_000,
      state: { memory: { runs: { failures: 0 } } },
    });
    const second = step(first.state, saw('timeout_handshake', { atMs: atMs + 10_000, totalMs: 5_000 }));
    expect(second).toMatchObject({ own: { verdict: 'down' }, state: { memory: { runs: { failures: 1 } } } });
  });
});

describe('slow', () => {
  const slow = { totalMs: 900, phases: { connect: 10, handshake: 870, ping: 10 } };

  test.each<[string, { afterMs?: number } & Partial<TimedProbe>, boolean]>([
    ['nine times its p95', { totalMs: 900 }, true],
    ['twice its p95', { totalMs: 200 }, false],
    ['three times, and less than 200 ms more', { totalMs: 295 }, false],
  ])('%s', (_, probe, isSlow) => {
    expect(kinds(tell([probe], warm))).toEqual([isSlow ? 'slow' : 'usual']);
  });

  test('is not said before enough is learned', () => {
    const young = tell(times(POLICY.minSamples)).memory;
    expect(kinds(tell([slow], young))).toEqual(['usual']);
    expect(kinds(tell([{}, slow], young))).toEqual(['usual', 'slow']);
  });

  test('for three slots running it degrades, and names the phase and by how much', () => {
    let state = { ...stateOf('active'), latency: warm };
    const verdicts = times(4).map(() => {
      const atMs = (state.latency.lastMs ?? 0) + INTERVAL_MS;
      const decision = step(state, saw('ok', { atMs, ...slow }));
      state = decision.state;
      return decision;
    });
    expect(verdicts.map(({ own }) => own.verdict)).toEqual(['up', 'up', 'degraded', 'degraded']);
    expect(verdicts[2]).toMatchObject({ hard: true, own: { reason: 'slow' }, confirmInMs: null });
    expect(verdicts[2]?.alerts).toMatchObject([{ action: 'fire', kind: 'server_degraded' }]);
    expect(verdicts[2]?.own.message).toMatch(
      /^handshake is slow: 870 ms where (?:7|8)\d ms is usual, 1\d\.\d times as long; the whole probe took 900 ms where/,
    );
    const [first, second] = run(state, ['ok', 'ok'], { stepMs: 10_000 });
    expect(first).toMatchObject({ own: { verdict: 'up' }, hard: false, confirmInMs: 10_000 });
    expect(second?.alerts).toMatchObject([{ action: 'resolve', key: 'server_degraded:a' }]);
  });

  test('a probe by hand fills no slot, and a usual one between begins anew', () => {
    const runs = ({ judgements }: Told) =>
      judgements.map((judgement) => (judgement.kind === 'slow' ? judgement.run : 0));
    expect(runs(tell([slow, { ...slow, manual: true }, slow], warm))).toEqual([1, 1, 2]);
    expect(runs(tell([slow, slow, {}, slow], warm))).toEqual([1, 2, 0, 1]);
    expect(runs(tell([slow, slow, { reason: 'closed' }, {}, slow], warm))).toEqual([1, 2, 0, 0, 1]);
  });

  test('does not teach itself as usual while it is judged, and does in the end', () => {
    const { judgements } = tell(times(400, slow), tell(times(200)).memory);
    const usualFrom = judgements.findIndex(({ kind }) => kind === 'usual');
    expect(usualFrom).toBeGreaterThan(100);
    expect(usualFrom).toBeLessThan(250);
    expect(judgements.slice(usualFrom).every(({ kind }) => kind === 'usual')).toBe(true);
  });
});
