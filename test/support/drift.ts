import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Definition, ProbeOutcome } from '../../src/core/outcome.ts';
import type { Database } from '../../src/db/client.ts';
import { startRun } from '../../src/db/queries/run.ts';
import type { ProbeStore } from '../../src/db/queries/store.ts';
import { scheduleServers } from '../../src/db/queries/sweep.ts';
import { EMPTY_INVENTORY, outcomeOf } from './outcomes.ts';
import { registerServer } from './registry.ts';

/** A tool with a schema of some size. */
export function toolOf(name: string, changes: Definition = {}): Definition {
  return {
    name,
    description: `Does what ${name} says.`,
    inputSchema: {
      type: 'object',
      properties: { query: { type: 'string' }, limit: { type: 'integer' } },
      required: ['query'],
    },
    ...changes,
  };
}

export const offering = (tools: Definition[], changes: Partial<ProbeOutcome> = {}): ProbeOutcome =>
  outcomeOf({ inventory: { ...EMPTY_INVENTORY, tools }, ...changes });

/** Registers a server, and stores what probes of it are said to have brought. */
export async function watchServer(
  db: Database,
  store: ProbeStore,
  server: Parameters<typeof registerServer>[1],
): Promise<(outcome: ProbeOutcome, checkedAt?: Date) => ReturnType<ProbeStore['save']>> {
  await registerServer(db, server);
  const { id } = server;
  await scheduleServers(db, [{ serverId: id, hostKey: id, nextProbeMs: Date.now() - 10 }]);
  return async (outcome, checkedAt = new Date()) => {
    const token = randomUUID();
    await startRun(db, { serverId: id, slotMs: null, token, budgetMsOf: () => 60_000, perHost: 4 });
    return await store.save({ serverId: id, token, hostKey: id, slotMs: null, checkedAt, outcome });
  };
}

/** Leaves the tables of inventories and alerts as they were at the beginning. */
export async function clearDrift(db: Database): Promise<void> {
  await db.execute(sql`DELETE FROM mcp_server`);
  await db.execute(sql`TRUNCATE vitals.inventory_change, vitals.inventory_pin, vitals.inventory_snapshot,
    vitals.definition, vitals.outbox, vitals.alert, system_event, security_event, api_usage CASCADE`);
}
