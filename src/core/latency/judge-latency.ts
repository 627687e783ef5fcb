import { PHASES, type Phase, type PhaseTimes } from '../outcome.ts';
import type { LatencyPolicy } from '../policy.ts';
import { REASONS, type Reason, type Verdict } from '../reasons.ts';
import { type LatencyMemory, type LearnedLatency, learn } from './latency-memory.ts';
import { quantileOf, type Sketch } from './sketch.ts';

/** What a probe says about latency. */
export interface TimedProbe {
  atMs: number;
  verdict: Verdict;
  reason: Reason;
  totalMs: number;
  phases: PhaseTimes;
  /** Asked for by hand: it fills no slot. */
  manual: boolean;
}

export type LatencyJudgement =
  | { kind: 'usual' }
  /** It was idle, and its first answer takes as long as it has learned to expect. */
  | { kind: 'waking'; message: string }
  /** Much slower than its own p95, for the `run`th scheduled time in a row. */
  | { kind: 'slow'; run: number; message: string };

/**
 * How much a slow answer teaches while it is judged. An answer is usual once it makes up 5% of what is
 * remembered, so at this weight a change has to last as long as what it changes: up to 200 probes.
 */
const SLOW_WEIGHT = 0.05;
/** Cold starts are rare: so few already show how long they take. */
const COLD_STARTS = 3;
const STARTING: ReadonlySet<Reason> = new Set(['timeout_connect', 'timeout_handshake']);
const USUAL: LatencyJudgement = { kind: 'usual' };

/** Compares an answer with what is learned of its server, warm or cold, and learns from it. */
export function judgeLatency(
  memory: LatencyMemory,
  probe: TimedProbe,
  policy: LatencyPolicy,
): { judgement: LatencyJudgement; memory: LatencyMemory } {
  const { verdict, reason, totalMs } = probe;
  const idle = memory.lastMs !== null && probe.atMs - memory.lastMs > policy.coldAfterMs;
  const asked = { ...memory, lastMs: probe.atMs };
  const { check } = REASONS[reason];
  // An answer of another kind (too many requests, a listing that never ends): it is awake, and no measure.
  if (verdict === 'degraded' && check !== 'healthy') {
    return { judgement: USUAL, memory: { ...asked, answered: true } };
  }
  if (check !== 'healthy') {
    const wakes =
      idle && memory.answered && STARTING.has(reason) && totalMs <= coldLimit(memory.cold, policy);
    return {
      judgement: wakes
        ? {
            kind: 'waking',
            message: `no answer within ${roundMs(totalMs)}, ${usually(memory.cold)} after idleness`,
          }
        : USUAL,
      memory: { ...asked, answered: false, slowRun: 0 },
    };
  }

  // Right after a failure nothing tells a cold start from a warm one: it is judged as cold, and teaches nothing.
  const afterFailure = !memory.answered;
  const cold = idle || afterFailure;
  const own = cold ? memory.cold : memory.warm;
  const limitMs = cold
    ? coldLimit(memory.cold, policy)
    : limitOf(memory.warm.total, policy, policy.minSamples);
  const slow = limitMs > 0 && totalMs > limitMs;
  const warmLimitMs = limitOf(memory.warm.total, policy, policy.minSamples);
  const wakes = cold && !slow && limitMs > 0 && warmLimitMs > 0 && totalMs > warmLimitMs;

  const counted = slow && !probe.manual;
  const slowRun = counted ? memory.slowRun + 1 : slow || wakes ? memory.slowRun : 0;
  const weight = slow ? SLOW_WEIGHT : 1;
  const next: LatencyMemory = { ...asked, answered: true, slowRun };
  if (idle) next.cold = learn(memory.cold, probe, weight);
  else if (!afterFailure) next.warm = learn(memory.warm, probe, weight);

  const judgement: LatencyJudgement = slow
    ? { kind: 'slow', run: slowRun, message: slowMessage(probe, own, policy) }
    : wakes
      ? { kind: 'waking', message: `answered in ${roundMs(totalMs)}, ${usually(memory.cold)} after idleness` }
      : USUAL;
  return { judgement, memory: next };
}

/** What is longer than this is slow; 0 while too little is learned to say. */
function limitOf(sketch: Sketch, policy: LatencyPolicy, minSamples: number): number {
  if (sketch.n < minSamples) return 0;
  const p95 = quantileOf(sketch, 0.95);
  return Math.max(p95 * policy.slowFactor, p95 + policy.slowAtLeastMs);
}

const coldLimit = (cold: LearnedLatency, policy: LatencyPolicy): number =>
  limitOf(cold.total, policy, Math.min(COLD_STARTS, policy.minSamples));

const usually = (learned: LearnedLatency): string =>
  `as it takes up to ${roundMs(quantileOf(learned.total, 0.95))}`;

function slowMessage(probe: TimedProbe, own: LearnedLatency, policy: LatencyPolicy): string {
  const usual = quantileOf(own.total, 0.95);
  const whole = `${roundMs(probe.totalMs)} where ${roundMs(usual)} is usual (p95)`;
  const phase = slowestPhase(probe, own, policy);
  if (!phase) return `slow: ${whole}`;
  const { name, ms, usualMs } = phase;
  const times = usualMs > 0 ? `, ${(ms / usualMs).toFixed(1)} times as long` : '';
  return `${name} is slow: ${roundMs(ms)} where ${roundMs(usualMs)} is usual${times}; the whole probe took ${whole}`;
}

/** The phase that lost the most time; `firstByte` is a part of others, so it is named only alone. */
function slowestPhase(probe: TimedProbe, own: LearnedLatency, policy: LatencyPolicy) {
  let worst: { name: Phase; ms: number; usualMs: number } | null = null;
  for (const name of [...PHASES.filter((phase) => phase !== 'firstByte'), 'firstByte' as const]) {
    const ms = probe.phases[name];
    const sketch = own.phases[name];
    if (ms === undefined || !sketch || sketch.n < Math.min(COLD_STARTS, policy.minSamples)) continue;
    const usualMs = quantileOf(sketch, 0.95);
    if (name === 'firstByte' && worst !== null) break;
    if (ms > usualMs && ms - usualMs > (worst ? worst.ms - worst.usualMs : 0)) worst = { name, ms, usualMs };
  }
  return worst;
}

const roundMs = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);
