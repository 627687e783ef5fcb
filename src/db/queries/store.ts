import { DEFAULT_HEALTH_POLICY, type HealthPolicy } from '../../core/health.ts';
import type { InventoryKind, Warning } from '../../core/outcome.ts';
import type { Database } from '../client.ts';
import { createBatcher } from './batch.ts';
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
    const memories = await readMemories(
      tx,
      probes.map((probe) => probe.serverId),
    );
    const results = probes.map((probe) => {
      const memory = memories.get(probe.serverId);
      return memory ? { probe, ...resultOf(probe, memory, policy) } : null;
    });
    const known = results.filter((result) => result !== null);
    if (known.length > 0) {
      const rows = JSON.stringify(known.map((result) => result.row));
      await insertHistory(tx, rows);
      await addUptime(tx, rows);
      await updateServers(tx, rows);
      await updateStates(tx, rows);
      await insertEvents(tx, rows);
      for (const { probe, inventoryChanged } of known) {
        const { inventory, warnings } = probe.outcome;
        if (inventoryChanged && inventory)
          await storeInventory(tx, probe.serverId, inventory, failedKinds(warnings));
      }
    }
    return results.map((result) => result?.stored ?? null);
  });
}

function failedKinds(warnings: Warning[]): Set<InventoryKind> {
  const failed = warnings.filter((warning) => warning.code === 'list_failed');
  return new Set(failed.flatMap(({ kind }) => (kind ? [kind] : [])));
}
