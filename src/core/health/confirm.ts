import type { HealthPolicy } from '../policy.ts';
import type { Reason, Verdict } from '../reasons.ts';
import type { OwnState } from './context.ts';
import type { Confirmed, HealthMemory, Runs } from './memory.ts';

export type Level = 'up' | 'degraded' | 'down' | 'unauthenticated';

/** What a verdict says about the server; null: nothing. */
export function levelOf(verdict: Verdict): Level | null {
  return verdict === 'waking' || verdict === 'unknown' || verdict === 'maintenance' ? null : verdict;
}

export const isBad = (state: Confirmed | Level): boolean => state === 'down' || state === 'unauthenticated';

/** The runs with one more observation. */
export function countRuns(runs: Runs, level: Level): Runs {
  if (isBad(level)) return { failures: runs.failures + 1, successes: 0, up: 0, degraded: 0 };
  return {
    failures: 0,
    successes: runs.successes + 1,
    up: level === 'up' ? runs.up + 1 : 0,
    degraded: level === 'degraded' ? runs.degraded + 1 : 0,
  };
}

/**
 * The confirmed state after an observation. A server that was never well has nothing to be damped: its
 * first failure and its first success count. During one outage the state stays what it was confirmed
 * as first, down or unauthenticated, so that it is one outage with one alert.
 */
export function confirm(
  memory: Pick<HealthMemory, 'confirmed' | 'seenWell'>,
  level: Level,
  runs: Runs,
  reason: Reason,
  policy: HealthPolicy,
): Confirmed {
  const { confirmed, seenWell } = memory;
  const out = isBad(confirmed);
  if (isBad(level)) {
    if (out) return confirmed;
    return !seenWell || runs.failures >= policy.failuresToDown ? level : confirmed;
  }
  if (!seenWell) return level;
  if (out && runs.successes < policy.successesToUp) return confirmed;
  if (level === 'degraded') {
    // Slowness is called so only after some slots of it: that was its confirmation.
    if (reason === 'slow' || runs.degraded >= policy.failuresToDown) return 'degraded';
    return out ? 'up' : confirmed;
  }
  return out || runs.up >= policy.successesToUp ? 'up' : confirmed;
}

/** Whether what was seen is what is confirmed. */
export function isHard(confirmed: Confirmed, level: Level | null): boolean {
  if (level === null) return false;
  return isBad(level) ? isBad(confirmed) : level === confirmed;
}

/** How soon to look again; null when nothing waits for confirmation. */
export function confirmDelay(
  own: OwnState,
  level: Level | null,
  confirmed: Confirmed,
  runs: Runs,
  policy: HealthPolicy,
): number | null {
  const delays = own.reason === 'refused' ? policy.confirmRefusedAfterMs : policy.confirmAfterMs;
  const after = (run: number): number => delays[Math.min(Math.max(run, 1), delays.length) - 1] ?? 0;
  // It has just been woken: a moment later it answers, or it does not.
  if (own.verdict === 'waking') return after(1);
  if (level === null || isHard(confirmed, level)) return null;
  if (isBad(level)) return after(runs.failures);
  if (isBad(confirmed)) return after(runs.successes);
  return after(level === 'degraded' ? runs.degraded : runs.up);
}
