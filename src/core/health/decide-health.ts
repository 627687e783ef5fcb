import type { Classification } from '../classify.ts';
import type { Reason, Verdict } from '../reasons.ts';

export type ServerStatus = 'active' | 'inactive' | 'error' | 'maintenance';
export type HealthStatus = 'healthy' | 'unhealthy' | 'unknown';

/** How many failures make an outage, and how soon the first ones are looked at again. */
export interface HealthPolicy {
  failuresToDown: number;
  confirmAfterMs: readonly number[];
}
export const DEFAULT_HEALTH_POLICY: HealthPolicy = { failuresToDown: 2, confirmAfterMs: [10_000, 20_000] };

/** What is remembered of a server between probes. */
export interface HealthMemory {
  verdict: Verdict | null;
  verdictSince: Date | null;
  /** Consecutive failures and successes. */
  failures: number;
  successes: number;
  /** mcp_server.status as it stands now, whoever wrote it. */
  status: ServerStatus;
  /** A person set that status (maintenance, or inactive after the first check): it stays. */
  held: boolean;
}

export interface HealthDecision {
  verdict: Verdict;
  reason: Reason;
  verdictSince: Date;
  failures: number;
  successes: number;
  status: ServerStatus;
  healthStatus: HealthStatus;
  /** null: nothing waits for confirmation. */
  confirmInMs: number | null;
  /** Set when mcp_server.status changes: one system_event row is due. */
  statusChange: { before: ServerStatus; after: ServerStatus } | null;
}

const HEALTH_OF: Record<Verdict, HealthStatus> = {
  up: 'healthy',
  degraded: 'healthy',
  down: 'unhealthy',
  unauthenticated: 'unhealthy',
  waking: 'unknown',
  unknown: 'unknown',
  maintenance: 'unknown',
};

/** mcp_server.health_status of a verdict. */
export const healthStatusOf = (verdict: Verdict): HealthStatus => HEALTH_OF[verdict];

/** A server in one of these has no good state that a single failure could be taken for a slip of. */
const NEVER_WELL = new Set<ServerStatus>(['inactive', 'error']);

/**
 * One step of the health state machine: from what is remembered and what was seen to what is true now.
 *
 * A failure shows in health_status at once and in status only when it is confirmed; a server that was
 * never seen well has nothing to be damped, so its first failure counts. `unknown` and `waking` move
 * no counter: they say nothing about the server. A status that a person set stays.
 */
export function decideHealth(
  memory: HealthMemory,
  seen: Pick<Classification, 'verdict' | 'reason'>,
  now: Date,
  policy: HealthPolicy = DEFAULT_HEALTH_POLICY,
): HealthDecision {
  const healthStatus = HEALTH_OF[seen.verdict];
  const failures =
    healthStatus === 'unhealthy' ? memory.failures + 1 : healthStatus === 'healthy' ? 0 : memory.failures;
  const successes =
    healthStatus === 'healthy' ? memory.successes + 1 : healthStatus === 'unhealthy' ? 0 : memory.successes;
  const confirmed = failures >= policy.failuresToDown || (!memory.held && NEVER_WELL.has(memory.status));

  const verdict: Verdict = memory.status === 'maintenance' ? 'maintenance' : seen.verdict;
  let status = memory.status;
  if (!memory.held && healthStatus === 'healthy') status = 'active';
  if (!memory.held && healthStatus === 'unhealthy' && confirmed) status = 'error';

  return {
    verdict,
    reason: seen.reason,
    verdictSince: memory.verdict === verdict && memory.verdictSince ? memory.verdictSince : now,
    failures,
    successes,
    status,
    healthStatus,
    confirmInMs: healthStatus === 'unhealthy' && !confirmed ? confirmDelay(policy, failures) : null,
    statusChange: status === memory.status ? null : { before: memory.status, after: status },
  };
}

function confirmDelay(policy: HealthPolicy, failures: number): number {
  const { confirmAfterMs } = policy;
  return confirmAfterMs[Math.min(failures, confirmAfterMs.length) - 1] ?? 0;
}
