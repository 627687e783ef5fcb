import type { HealthContext } from '../../src/core/health/context.ts';
import { NO_CONTEXT } from '../../src/core/health/context.ts';
import { decideHealth, type HealthDecision, type HealthInput } from '../../src/core/health/decide-health.ts';
import { beginMemory, type HealthState, type ServerStatus } from '../../src/core/health/memory.ts';
import type { Observation, Registered } from '../../src/core/health/observation.ts';
import { FRESH_LATENCY } from '../../src/core/latency/latency-memory.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts';
import { REASONS, type Reason } from '../../src/core/reasons.ts';

export const SUBJECT = { id: 'a', name: 'Server A', tenantId: 't' };
export const START_MS = Date.UTC(2026, 0, 1);

/** The state of a server whose memory begins with this status. */
export function stateOf(status: ServerStatus, changes: Partial<HealthState['memory']> = {}): HealthState {
  return {
    memory: { ...beginMemory({ status, failures: 0, successes: 0 }), ...changes },
    latency: FRESH_LATENCY,
  };
}

/** A probe that saw this, as classify would say it. */
export function saw(reason: Reason, changes: Partial<Observation> = {}): Observation {
  const { verdict, title } = REASONS[reason];
  return {
    atMs: START_MS,
    seen: { verdict, reason, message: title },
    phases: { connect: 5, handshake: 20, ping: 5 },
    totalMs: 30,
    manual: false,
    ...changes,
  };
}

export interface World {
  policy?: Policy;
  context?: HealthContext;
  registered?: Partial<Registered>;
  objective?: number;
}

/** One step, the registry saying what we wrote last unless told otherwise. */
export function step(state: HealthState, observation: Observation, world: World = {}): HealthDecision {
  const { policy = DEFAULT_POLICY, context = NO_CONTEXT, registered = {} } = world;
  const input: HealthInput = {
    subject: SUBJECT,
    observation,
    context,
    registered: { status: state.memory.status, held: false, ours: true, ...registered },
    objective: world.objective ?? policy.slo.objective,
  };
  return decideHealth(state, input, policy);
}

/** One step after the other, a minute apart unless told otherwise. */
export function run(
  state: HealthState,
  reasons: readonly Reason[],
  world: World & { stepMs?: number } = {},
): HealthDecision[] {
  const { stepMs = 60_000 } = world;
  let now = state;
  return reasons.map((reason) => {
    const atMs = (now.memory.lastMs ?? START_MS) + stepMs;
    const decision = step(now, saw(reason, { atMs }), world);
    now = decision.state;
    return decision;
  });
}

/** The alerts of some steps, as `fire server_down`. */
export function alertsOf(decisions: readonly HealthDecision[]): string[] {
  return decisions.flatMap(({ alerts }) =>
    alerts.map((change) => `${change.action} ${change.key.split(':')[0]}`),
  );
}
