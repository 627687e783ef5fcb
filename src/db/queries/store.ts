import { sql } from 'drizzle-orm';
import type { HealthContext } from '../../core/health/context.ts';
import { type CallsPolicy, DEFAULT_POLICY, type Policy } from '../../core/policy.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';
import { createBatcher } from './batch.ts';
import { storeCertificates } from './certificates.ts';
import { SHORT_TRANSACTION } from './fragments.ts';
import { createInventoryPreparer } from './prepare-inventory.ts';
import { type FinishedProbe, resultOf, type StoredProbe } from './result-row.ts';
import { type OwnShown, showOwn } from './shown.ts';
import { storeInventoryOf } from './store-inventory.ts';
import {
  addUptime,
  insertEvents,
  insertHistory,
  readMemories,
  type Tx,
  updateServers,
  updateStates,
} from './store-statements.ts';

export type { StoredProbe } from './result-row.ts';

export interface ProbeStore {
  /** Resolves when the result is committed; null when the server is no longer registered. */
  save(probe: Omit<FinishedProbe, 'listing'>): Promise<StoredProbe | null>;
  idle(): Promise<void>;
}

export interface StoreOptions {
  /** What states are decided by; asked for each batch, since its file may be read anew. */
  policy?: () => Policy;
  /** Of the real calls of these servers, those that fail too often. */
  readFailingCalls?: ReadFailingCalls;
  /**
   * Shows what lies over the servers that were decided (maintenance, other servers), and gives the ids
   * that it has shown; null for none. The others are shown as they are by themselves.
   */
  refreshShown?: RefreshShown;
}

type RefreshShown = (
  tx: Tx,
  servers: readonly OwnShown[],
  policy: Policy,
) => Promise<ReadonlySet<string> | null>;

type ReadFailingCalls = (
  tx: Tx,
  serverIds: readonly string[],
  policy: CallsPolicy,
  nowMs: number,
) => Promise<ReadonlyMap<string, NonNullable<HealthContext['failingCalls']>>>;

const MAX_BATCH = 100;

/** Writes results in batches: history, server, inventory, events, alerts and next slot in one transaction. */
export function createProbeStore(db: Database, options: StoreOptions = {}): ProbeStore {
  const batcher = createBatcher<FinishedProbe, StoredProbe | null>(MAX_BATCH, (probes) =>
    saveProbes(db, probes, options),
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
  { policy: policyNow = () => DEFAULT_POLICY, readFailingCalls, refreshShown }: StoreOptions,
): Promise<(StoredProbe | null)[]> {
  const policy = policyNow();
  return await db.transaction(async (tx) => {
    // Whoever holds a server's row for long (a person, a gateway) must not hold up the results of all others.
    await tx.execute(sql`SELECT ${SHORT_TRANSACTION}, set_config('lock_timeout', '2s', true)`);
    const memories = await readMemories(
      tx,
      probes.map((probe) => probe.serverId),
    );
    const [{ nowMs = 0 } = {}] = memories.values();
    const failing = await readFailingCalls?.(tx, [...memories.keys()], policy.calls, nowMs);
    const results = probes.map((probe) => {
      const memory = memories.get(probe.serverId);
      const failingCalls = failing?.get(probe.serverId) ?? null;
      return memory ? { probe, ...resultOf(probe, memory, { policy, failingCalls }) } : null;
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
    const surrounded = await refreshShown?.(
      tx,
      current.map((result) => result.shown),
      policy,
    );
    const alone = current.filter((result) => !surrounded?.has(result.row.serverId));
    await showOwn(
      tx,
      alone.map((result) => result.shown),
    );
    await insertEvents(tx, JSON.stringify(alone.map((result) => result.row)));
    await recordAlertChanges(
      tx,
      current.flatMap((result) => result.stored.decision.alerts),
    );
    await storeCertificates(
      tx,
      current.map(({ probe, stored }) => ({ ...stored, certificate: probe.outcome.certificate })),
    );
    return results.map((result) => result?.stored ?? null);
  });
}
