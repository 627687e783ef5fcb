import { sql } from 'drizzle-orm';
import { DEFAULT_HEALTH_POLICY, type HealthPolicy } from '../../core/health/decide-health.ts';
import type { Database } from '../client.ts';
import { createBatcher } from './batch.ts';
import { SHORT_TRANSACTION } from './fragments.ts';
import { createInventoryPreparer } from './prepare-inventory.ts';
import { type FinishedProbe, resultOf, type StoredProbe } from './result-row.ts';
import { storeInventoryOf } from './store-inventory.ts';
import {
  addUptime,
  insertEvents,
  insertHistory,
  readMemories,
  updateServers,
  updateStates,
} from './store-statements.ts';

export type { StoredProbe } from './result-row.ts';

export interface ProbeStore {
  /** Resolves when the result is committed; null when the server is no longer registered. */
  save(probe: Omit<FinishedProbe, 'listing'>): Promise<StoredProbe | null>;
  idle(): Promise<void>;
}

const MAX_BATCH = 100;

/** Writes results in batches: history, server, inventory, events and next slot in one transaction. */
export function createProbeStore(db: Database, policy: HealthPolicy = DEFAULT_HEALTH_POLICY): ProbeStore {
  const batcher = createBatcher<FinishedProbe, StoredProbe | null>(MAX_BATCH, (probes) =>
    saveProbes(db, probes, policy),
  );
  const inventories = createInventoryPreparer(db);
  return {
    async save(probe) {
      const listing = await inventories.prepare(probe);
      const stored = await batcher.add({ ...probe, listing });
      inventories.settle(probe.serverId, stored?.inventoryProblem === null ? listing : null);
      return stored;
    },
    idle: () => batcher.idle(),
  };
}

async function saveProbes(
  db: Database,
  probes: FinishedProbe[],
  policy: HealthPolicy,
): Promise<(StoredProbe | null)[]> {
  return await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT ${SHORT_TRANSACTION}`);
    const memories = await readMemories(
      tx,
      probes.map((probe) => probe.serverId),
    );
    const results = probes.map((probe) => {
      const memory = memories.get(probe.serverId);
      return memory ? { probe, ...resultOf(probe, memory, policy) } : null;
    });
    const known = results.filter((result) => result !== null);
    const current = known.filter((result) => result.current);
    for (const result of current) await storeInventoryOf(tx, result);
    const history = JSON.stringify(known.map((result) => result.row));
    await insertHistory(tx, history);
    await addUptime(tx, history);
    const rows = JSON.stringify(current.map((result) => result.row));
    await updateServers(tx, rows);
    await updateStates(tx, rows);
    await insertEvents(tx, rows);
    return results.map((result) => result?.stored ?? null);
  });
}
