import type { Classification } from '../classify.ts';
import type { LatencyJudgement } from '../latency/judge-latency.ts';
import type { PhaseTimes } from '../outcome.ts';
import { REASONS } from '../reasons.ts';
import type { HealthContext, OwnState } from './context.ts';
import type { ServerStatus } from './memory.ts';

/** What one probe saw. */
export interface Observation {
  atMs: number;
  seen: Pick<Classification, 'verdict' | 'reason' | 'message'>;
  phases: PhaseTimes;
  totalMs: number;
  /** Asked for by hand, not by the schedule. */
  manual: boolean;
}

/** How the registry stands to the server at that moment. */
export interface Registered {
  /** mcp_server.status, whoever wrote it. */
  status: ServerStatus;
  /** A person set that status (maintenance, or inactive after the first check): it stays. */
  held: boolean;
  /** It is what we wrote last: our own status, or what lay over it. */
  ours: boolean;
}

/** What a probe means, with what is known of the worker, of real calls and of the server's own latency. */
export function ownStateOf(
  { seen }: Observation,
  context: HealthContext,
  judgement: LatencyJudgement,
  slowSlots: number,
): OwnState {
  // Who answers well was reached: a server on this machine, or one that was quicker than our trouble.
  if (context.monitorOffline && seen.verdict !== 'up') {
    return { verdict: 'unknown', reason: 'monitor_offline', message: REASONS.monitor_offline.title };
  }
  if (seen.verdict === 'up' && context.failingCalls) {
    const { calls, errors } = context.failingCalls;
    return {
      verdict: 'degraded',
      reason: 'calls_failing',
      message: `${errors} of ${calls} real calls failed in the last minutes`,
    };
  }
  if (judgement.kind === 'waking') {
    return { verdict: 'waking', reason: 'waking', message: judgement.message };
  }
  if (seen.verdict === 'up' && judgement.kind === 'slow' && judgement.run >= slowSlots) {
    return { verdict: 'degraded', reason: 'slow', message: judgement.message };
  }
  return {
    verdict: seen.verdict,
    reason: seen.reason,
    message: seen.reason === 'ok' ? null : seen.message,
  };
}
