import type { SelfCheckPolicy } from '../policy.ts';
import type { Reason } from '../reasons.ts';

/** What the worker sees when it looks at itself. */
export interface SelfFacts {
  /** For each configured anchor whether it could be reached. */
  anchors: readonly boolean[];
  /** Whether the configured name could be resolved; null when none is configured. */
  dns: boolean | null;
  /** How far the event loop was behind, at the worst of the last minute. */
  loopLagMs: number;
  /** Whether this machine has any network but loopback. */
  networkUp: boolean;
}

export type OfflineCause = 'anchors' | 'dns' | 'network' | 'loop';

export interface SelfJudgement {
  offline: boolean;
  /** null when it is online. */
  cause: OfflineCause | null;
  /** In a sentence. */
  because: string | null;
}

const ONLINE: SelfJudgement = { offline: false, cause: null, because: null };
const offline = (cause: OfflineCause, because: string): SelfJudgement => ({ offline: true, cause, because });

/** Whether the worker is to be blamed before its targets are. What is not configured is not asked about. */
export function judgeSelf(facts: SelfFacts, policy: SelfCheckPolicy): SelfJudgement {
  const { anchors, dns, loopLagMs, networkUp } = facts;
  if (anchors.length > 0 && !anchors.some(Boolean))
    return offline('anchors', `none of the ${anchors.length} configured anchors can be reached`);
  if (dns === false) return offline('dns', `the name ${policy.dnsName ?? ''} does not resolve`);
  // An anchor that answers proves that there is a network, whatever the interfaces look like.
  if (!networkUp && anchors.length === 0)
    return offline('network', 'no network interface is up but loopback');
  if (loopLagMs > policy.maxLoopLagMs)
    return offline('loop', `the worker’s event loop was ${Math.round(loopLagMs)} ms behind`);
  return ONLINE;
}

/** No answer came from the target: as it looks when the worker is cut off. */
const NO_ANSWER = new Set<Reason>([
  'dns',
  'refused',
  'unreachable',
  'closed',
  'timeout_connect',
  'timeout_auth',
  'timeout_handshake',
  'timeout_ping',
]);
const TIMEOUTS = new Set<Reason>([
  'timeout_connect',
  'timeout_auth',
  'timeout_handshake',
  'timeout_ping',
  'timeout_list',
]);

/** Whether a failure is of the kind that a worker without a network, or without time, would see. */
export const mayBeOurs = (reason: Reason): boolean => NO_ANSWER.has(reason) || TIMEOUTS.has(reason);

/** Whether what is wrong with the worker explains this failure. A target on loopback needs no network. */
export function explainsFailure(
  { cause }: SelfJudgement,
  failure: { reason: Reason; loopback: boolean },
): boolean {
  if (cause === null) return false;
  if (cause === 'loop') return TIMEOUTS.has(failure.reason);
  // What was configured is believed for every target; what the interfaces look like not for those within.
  if (cause === 'network' && failure.loopback) return false;
  return NO_ANSWER.has(failure.reason);
}

/**
 * Which servers began to give no answer within the last minute: a mass of them makes the worker look at
 * itself. One that goes on failing is no news, however often it is probed.
 */
export function createFailureCount(withinMs = 60_000): {
  add(serverId: string, nowMs: number): void;
  /** It has answered. */
  remove(serverId: string): void;
  count(nowMs: number): number;
  ids(nowMs: number): string[];
} {
  const failing = new Set<string>();
  /** In the order of their times. */
  const recent = new Map<string, number>();
  const forget = (nowMs: number): void => {
    for (const [id, atMs] of recent) {
      if (nowMs - atMs <= withinMs) return;
      recent.delete(id);
    }
  };
  return {
    add(serverId, nowMs) {
      if (failing.has(serverId)) return;
      failing.add(serverId);
      recent.set(serverId, nowMs);
    },
    remove(serverId) {
      failing.delete(serverId);
      recent.delete(serverId);
    },
    count(nowMs) {
      forget(nowMs);
      return recent.size;
    },
    ids(nowMs) {
      forget(nowMs);
      return [...recent.keys()];
    },
  };
}
