import type { AlertChange } from '../alerts/alert.ts';
import { judgeLatency } from '../latency/judge-latency.ts';
import type { Policy } from '../policy.ts';
import type { Verdict } from '../reasons.ts';
import { stepSlo } from '../slo/error-budget.ts';
import { confirm, confirmDelay, countRuns, isBad, isHard, levelOf } from './confirm.ts';
import type { HealthContext, OwnState } from './context.ts';
import { addRecent, isFlapping } from './flapping.ts';
import { changeAlerts, type Subject, wantedAlerts } from './health-alerts.ts';
import type { Confirmed, HealthMemory, HealthState, ServerStatus } from './memory.ts';
import { type Observation, ownStateOf, type Registered } from './observation.ts';

export type { ServerStatus } from './memory.ts';
export type HealthStatus = 'healthy' | 'unhealthy' | 'unknown';

/** One observation and all that it is judged by. */
export interface HealthInput {
  subject: Subject;
  observation: Observation;
  context: HealthContext;
  registered: Registered;
  /** The share of time in which the server is to be usable. */
  objective: number;
}

export interface HealthDecision {
  /** What is remembered until the next observation. */
  state: HealthState;
  /** What the server is by itself. */
  own: OwnState;
  /** What is seen is confirmed; otherwise it is soft: shown, and not acted on yet. */
  hard: boolean;
  confirmed: Confirmed;
  flapping: boolean;
  /** For mcp_server, as far as the server alone decides. */
  status: ServerStatus;
  healthStatus: HealthStatus;
  /** null: nothing waits for confirmation. */
  confirmInMs: number | null;
  /** Set when its status changes: one system_event row is due. */
  statusChange: { before: ServerStatus; after: ServerStatus } | null;
  /** Of the error budget, what is left: 1 is all, below 0 it is overdrawn. */
  errorBudgetLeft: number;
  alerts: AlertChange[];
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

/**
 * One step of the state machine: from what is remembered and what was seen to what is true now.
 *
 * A failure shows in health_status at once and in status only when it is confirmed, and so does the
 * way back. What says nothing about the server (`unknown`, `waking`, a worker that is cut off) moves no
 * counter. A status that a person set stays. Pure: the same inputs always decide the same.
 */
export function decideHealth(before: HealthState, input: HealthInput, policy: Policy): HealthDecision {
  const { memory } = before;
  const { context, registered, subject, objective } = input;
  const observation: Observation = {
    ...input.observation,
    // Clocks of two workers may differ; for one server time does not go back.
    atMs: Math.max(input.observation.atMs, memory.lastMs ?? input.observation.atMs),
  };
  const { atMs, seen } = observation;

  const timed = { ...observation, verdict: seen.verdict, reason: seen.reason };
  const { judgement, memory: latency } =
    context.monitorOffline || levelOf(seen.verdict) === null
      ? { judgement: { kind: 'usual' as const }, memory: before.latency }
      : judgeLatency(before.latency, timed, policy.latency);
  const own = ownStateOf(observation, context, judgement, policy.latency.slowSlots);
  const level = levelOf(own.verdict);
  const bad = level !== null && isBad(level);

  const runs = level === null ? memory.runs : countRuns(memory.runs, level);
  const confirmed =
    level === null ? memory.confirmed : confirm(memory, level, runs, own.reason, policy.health);
  const recent = level === null ? memory.recent : addRecent(memory.recent, !bad, policy.health.flapping);
  const flapping = isFlapping(recent, memory.flapping, policy.health.flapping);

  // Switched off or in maintenance it owes nobody anything.
  const counts = level !== null && !registered.held && registered.status !== 'maintenance';
  const slo = stepSlo(
    memory.slo,
    { atMs, state: counts ? (bad ? 'bad' : 'good') : null },
    policy.slo,
    objective,
  );

  const ownStatus = confirmed === 'new' ? memory.status : isBad(confirmed) ? 'error' : 'active';
  const status = registered.held ? registered.status : ownStatus;
  // What we wrote may be what lies over the server (a maintenance, another server): no change of its own.
  const statusBefore = registered.ours && !registered.held ? memory.status : registered.status;

  const facts = {
    atMs,
    own,
    confirmed,
    failures: runs.failures,
    flapping,
    slo,
    objective,
    unwatched: registered.held && registered.status === 'inactive',
  };
  const firing = wantedAlerts(memory.firing ?? [], facts);
  const after: HealthMemory = {
    v: 1,
    lastMs: atMs,
    runs,
    confirmed,
    seenWell: memory.seenWell || (level !== null && !bad),
    status: ownStatus,
    recent,
    flapping,
    firing,
    slo: slo.memory,
  };
  return {
    state: { memory: after, latency },
    own,
    hard: isHard(confirmed, level),
    confirmed,
    flapping,
    status,
    healthStatus: HEALTH_OF[own.verdict],
    confirmInMs: confirmDelay(own, level, confirmed, runs, policy.health),
    statusChange: status === statusBefore ? null : { before: statusBefore, after: status },
    errorBudgetLeft: slo.budgetLeft,
    alerts: changeAlerts(memory.firing, firing, subject, facts),
  };
}
