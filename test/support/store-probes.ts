import { randomUUID } from 'node:crypto';
import { sharedPartsOf } from '../../src/core/incidents/parts-of.ts';
import type { ProbeOutcome } from '../../src/core/outcome.ts';
import type { Database } from '../../src/db/client.ts';
import { startRun } from '../../src/db/queries/run.ts';
import type { ProbeStore } from '../../src/db/queries/store.ts';
import { scheduleServers } from '../../src/db/queries/sweep.ts';
import { registerServer } from './registry.ts';

type Registered = Parameters<typeof registerServer>[1];

/** Registers servers and puts them on the schedule; each on a host of its own, unless told otherwise. */
export async function registerAll(
  db: Database,
  servers: readonly (Registered & { hostKey?: string })[],
): Promise<void> {
  for (const { hostKey, ...server } of servers) {
    await registerServer(db, server);
    await scheduleServers(db, [
      { serverId: server.id, hostKey: hostKey ?? `${server.id}.test`, nextProbeMs: Date.now() + 3_600_000 },
    ]);
  }
}

/** Stores an outcome as a probe of the server that began now would. */
export async function storeOutcome(
  db: Database,
  store: ProbeStore,
  serverId: string,
  outcome: ProbeOutcome,
  options: { hostKey?: string; monitorOffline?: boolean } = {},
) {
  const { hostKey = `${serverId}.test`, monitorOffline = false } = options;
  const token = randomUUID();
  await startRun(db, { serverId, slotMs: null, token, budgetMsOf: () => 60_000, perHost: 1000 });
  return await store.save({
    serverId,
    token,
    hostKey,
    slotMs: null,
    checkedAt: new Date(),
    outcome,
    monitorOffline,
    shared: sharedPartsOf({ hostKey, authConfig: null, certificateIssuer: null }),
  });
}
