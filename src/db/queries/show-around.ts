import type { Policy } from '../../core/policy.ts';
import type { OwnShown } from './shown.ts';
import type { Tx } from './store-statements.ts';
import { refreshShown } from './surroundings.ts';
import { wakeRequired } from './wake.ts';

/**
 * Shows servers under what surrounds them, and has those that they require probed soon when they fail. To be
 * given to the store, whose results it is asked about.
 */
export async function showAround(
  tx: Tx,
  servers: readonly OwnShown[],
  policy: Policy,
): Promise<ReadonlySet<string> | null> {
  const shown = await refreshShown(
    tx,
    servers.map(({ serverId }) => serverId),
    policy,
    new Map(servers.map(({ serverId, held }) => [serverId, held])),
  );
  const failing = servers.filter(({ healthStatus }) => healthStatus === 'unhealthy');
  if (failing.length > 0)
    await wakeRequired(
      tx,
      failing.map(({ serverId }) => serverId),
    );
  return shown;
}
