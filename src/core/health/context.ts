import type { Reason, Verdict } from '../reasons.ts';

/**
 * What the world around a server says at the moment of a probe. It is kept with the probe's history
 * row, so that a replay decides from the same facts.
 */
export interface HealthContext {
  /** The worker itself is cut off: what it sees says nothing about the server. */
  monitorOffline: boolean;
  /** Real calls of the last minutes, when enough of them fail; null while they do not, or there are none. */
  failingCalls: { calls: number; errors: number } | null;
}

export const NO_CONTEXT: HealthContext = { monitorOffline: false, failingCalls: null };

/** What a server is by itself: what the state machine decided. */
export interface OwnState {
  verdict: Verdict;
  reason: Reason;
  message: string | null;
}

/** Another server that explains this one's state. */
export interface Cause {
  serverId: string;
  name: string;
  /** required: this one is down with it. optional: it is degraded. fallback: all of them are down. */
  type: 'required' | 'optional' | 'fallback';
}

/** What lies over a server's own state and changes when other things change than the server. */
export interface Surroundings {
  /** The maintenance that it is in now. */
  maintenance: { id: string; title: string; untilMs: number | null } | null;
  cause: Cause | null;
}

/** What is shown of a server: its own state, or what lies over it. */
export interface ShownState extends OwnState {
  /** The id of the server that it is down or degraded because of. */
  becauseOf: string | null;
}
