import type { Policy } from '../../core/policy.ts';
import type { OwnShown } from './shown.ts';
import type { Tx } from './store-statements.ts';
import { refreshShown } from './surroundings.ts';
import { wakeRequired, wakeSiblings } from './wake.ts';

/** A host is woken no more often. */
const SIBLINGS_AGAIN_MS = 60_000;

/**
 * Shows servers under what surrounds them, and has those probed soon whose state would explain a failure
 * that has just been seen. To be given to the store, whose results it is asked about.
 */
export function createShowAround(
  now: () => number = Date.now,
): (tx: Tx, servers: readonly OwnShown[], policy: Policy) => Promise<ReadonlySet<string> | null> {
  const wokenAt = new Map<string, number>();

  return async (tx, servers, policy) => {
    const shown = await refreshShown(
      tx,
      servers.map(({ serverId }) => serverId),
      policy,
      new Map(servers.map(({ serverId, held }) => [serverId, held])),
    );
    const failing = servers.filter(({ healthStatus }) => healthStatus === 'unhealthy');
    if (failing.length === 0) return shown;
    const ids = failing.map(({ serverId }) => serverId);
    await wakeRequired(tx, ids);
    const nowMs = now();
    for (const [host, atMs] of wokenAt) if (nowMs - atMs > SIBLINGS_AGAIN_MS) wokenAt.delete(host);
    for (const host of await wakeSiblings(tx, ids, [...wokenAt.keys()])) wokenAt.set(host, nowMs);
    return shown;
  };
}
