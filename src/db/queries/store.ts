import { sql } from 'drizzle-orm';
import { DEFAULT_HEALTH_POLICY, type HealthPolicy } from '../../core/health/decide-health.ts';
import type { Database } from '../client.ts';
import { withoutParameters } from '../errors.ts';
import { createBatcher } from './batch.ts';
import { storeCertificates } from './certificates.ts';
import { SHORT_TRANSACTION } from './fragments.ts';
import { storeInventory } from './inventory.ts';
import { type FinishedProbe, resultOf, type StoredProbe } from './result-row.ts';
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
  save(probe: FinishedProbe): Promise<StoredProbe | null>;
  idle(): Promise<void>;
}

const MAX_BATCH = 100;

/** Writes results in batches: history, server, inventory, events and next slot in one transaction. */
export function createProbeStore(db: Database, policy: HealthPolicy = DEFAULT_HEALTH_POLICY): ProbeStore {
  const batcher = createBatcher<FinishedProbe, StoredProbe | null>(MAX_BATCH, (probes) =>
    saveProbes(db, probes, policy),
  );
  return { save: (probe) => batcher.add(probe), idle: () => batcher.idle() };
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
    await storeCertificates(
      tx,
      current.map(({ probe, stored }) => ({ ...stored, certificate: probe.outcome.certificate })),
    );
    return results.map((result) => result?.stored ?? null);
  });
}

/**
 * An inventory that the database will not take must not cost the verdict: it is stored behind a
 * savepoint, and tried again at the next probe.
 */
async function storeInventoryOf(
  tx: Pick<Database, 'transaction'>,
  result: { probe: FinishedProbe } & ReturnType<typeof resultOf>,
): Promise<void> {
  const { inventory } = result.probe.outcome;
  if (!inventory || !result.inventoryChanged) return;
  try {
    await tx.transaction((savepoint) =>
      storeInventory(savepoint, result.probe.serverId, inventory, result.failed),
    );
  } catch (error) {
    result.row.inventoryHash = null;
    result.stored.inventoryProblem = withoutParameters(error).message;
  }
}
