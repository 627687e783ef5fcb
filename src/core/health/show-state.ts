import type { Reason, Verdict } from '../reasons.ts';
import type { Cause, OwnState, ShownState, Surroundings } from './context.ts';
import type { HealthStatus } from './decide-health.ts';
import type { ServerStatus } from './memory.ts';

/**
 * What is shown of a server: maintenance lies over everything; a required server that is down makes it
 * down, too; an optional one makes it degraded when it is well by itself.
 */
export function showState(own: OwnState, around: Surroundings): ShownState {
  const { maintenance, cause } = around;
  if (maintenance !== null) {
    const { title, untilMs } = maintenance;
    const end = untilMs === null ? 'until it is ended' : `until ${new Date(untilMs).toISOString()}`;
    return shown('maintenance', 'maintenance', `in maintenance: ${title}, ${end}`, null);
  }
  if (cause === null) return { ...own, becauseOf: null };
  if (cause.type !== 'optional')
    return shown('down', 'dependency_down', messageOf(own, cause), cause.serverId);
  // What it is by itself says more than what it lacks.
  if (own.verdict !== 'up') return { ...own, becauseOf: null };
  return shown('degraded', 'dependency_degraded', `degraded because of ${cause.name}`, cause.serverId);
}

function shown(verdict: Verdict, reason: Reason, message: string, becauseOf: string | null): ShownState {
  return { verdict, reason, message, becauseOf };
}

function messageOf(own: OwnState, cause: Cause): string {
  const because = `down because of ${cause.name}`;
  const whole = cause.type === 'fallback' ? `${because}, with no fallback left` : because;
  const fails = own.verdict === 'down' || own.verdict === 'unauthenticated';
  return fails && own.message !== null ? `${whole} (by itself: ${own.message})` : whole;
}

/** What is behind the shown state in the gateway's columns. */
export interface OwnColumns {
  status: ServerStatus;
  health: HealthStatus;
}

/**
 * mcp_server.status and health_status of what is shown. Maintenance is a status; health goes on to say
 * what the probes see. A status that a person set stays.
 */
export function columnsOf(state: ShownState, own: OwnColumns, held: ServerStatus | null): OwnColumns {
  const overlaid = state.reason === 'dependency_down';
  return {
    status: held ?? (state.verdict === 'maintenance' ? 'maintenance' : overlaid ? 'error' : own.status),
    health: overlaid ? 'unhealthy' : own.health,
  };
}
