import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Reason, Verdict } from '../../core/reasons.ts';
import type { Database } from '../client.ts';

export interface ProbeVerdict {
  serverId: string;
  name: string;
  verdict: Verdict;
  reason: Reason;
  message: string;
}

const LOOK_EVERY_MS = 100;

/** The database's own clock, in milliseconds since 1970: results are compared with it, never with ours. */
export async function readClock(db: Database): Promise<number> {
  const [row] = await db.execute<{ now: number }>(
    sql`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
  );
  if (!row) throw new Error('the database has no clock');
  return row.now;
}

/**
 * Yields the verdict of each server as a probe of it lands after `sinceMs`, until all have one or the
 * signal says stop. It asks the database, which has the last word anyway: BullMQ's event stream on
 * PostgreSQL is read past events whose transactions commit out of order, and so loses some.
 */
export async function* awaitVerdicts(
  db: Database,
  serverIds: readonly string[],
  sinceMs: number,
  signal: AbortSignal,
): AsyncGenerator<ProbeVerdict> {
  const open = new Set(serverIds);
  while (!signal.aborted) {
    for (const verdict of await readVerdicts(db, [...open], sinceMs)) {
      open.delete(verdict.serverId);
      yield verdict;
    }
    if (open.size === 0) return;
    // Nothing announces a result to those outside of the worker: looking again is the only way.
    await sleep(LOOK_EVERY_MS);
  }
}

async function readVerdicts(db: Database, serverIds: string[], sinceMs: number): Promise<ProbeVerdict[]> {
  const rows = await db.execute<ProbeVerdict & Record<string, unknown>>(sql`
    SELECT s.server_id AS "serverId", m.name, s.verdict, s.reason, coalesce(s.message, '') AS message
    FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
    WHERE s.server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb))
      AND s.verdict IS NOT NULL AND s.updated_at >= to_timestamp(${sinceMs}::float8 / 1000)
    ORDER BY s.server_id`);
  return [...rows];
}
