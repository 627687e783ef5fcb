import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';

/** So many rows go in one statement: others wait for none of them long. */
const ROWS_AT_ONCE = 2_000;
/** What nobody needs is kept for a day: whoever is storing at this moment may be about to need it. */
const UNUSED_AGE = '1 day';
/** A drift that nobody objected to is what the server is like now. */
const DRIFT_ALERT_AGE = '1 day';

export interface Tidied {
  snapshots: number;
  definitions: number;
  alerts: number;
}

/** Deletes snapshots and definitions that nothing refers to, and ends drift alerts after their day. */
export async function tidyInventories(db: Database, atMs: number): Promise<Tidied> {
  const alerts = await endOldAlerts(db, atMs);
  const snapshots = await untilNone(async () => {
    const gone = await db.execute(sql`
      DELETE FROM vitals.inventory_snapshot WHERE hash IN (
        SELECT hash FROM vitals.inventory_snapshot s
        WHERE used_at < now() - ${UNUSED_AGE}::interval
          AND NOT EXISTS (SELECT 1 FROM vitals.inventory_change c WHERE c.snapshot_hash = s.hash)
          AND NOT EXISTS (SELECT 1 FROM vitals.inventory_pin p WHERE p.snapshot_hash = s.hash)
        ORDER BY hash LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED)
      RETURNING 1`);
    return gone.length;
  });
  const definitions = await deleteDefinitions(db);
  return { snapshots, definitions, alerts };
}

async function endOldAlerts(db: Database, atMs: number): Promise<number> {
  return await db.transaction(async (tx) => {
    const old = await tx.execute<{ key: string }>(sql`
      SELECT key FROM vitals.alert WHERE resolved_at IS NULL AND kind IN ('drift_breaking', 'drift_suspicious')
        AND started_at < to_timestamp(${atMs}::float8 / 1000) - ${DRIFT_ALERT_AGE}::interval
      ORDER BY key LIMIT ${ROWS_AT_ONCE}`);
    const { resolved } = await recordAlertChanges(
      tx,
      old.map(({ key }) => ({ action: 'resolve', key, atMs, data: { passed: true } })),
    );
    return resolved;
  });
}

/**
 * Which definitions the snapshots need is found once, in a table of this transaction; a definition that a
 * store needs at this moment has its `used_at` moved, and its row lock makes us look again.
 */
async function deleteDefinitions(db: Database): Promise<number> {
  return await db.transaction(async (tx) => {
    await tx.execute(sql`
      CREATE TEMPORARY TABLE needed_definition ON COMMIT DROP AS
      SELECT DISTINCT item->>1 AS hash
      FROM vitals.inventory_snapshot s, jsonb_each(s.items) AS kind, jsonb_array_elements(kind.value) AS item
      WHERE jsonb_typeof(kind.value) = 'array'`);
    return await untilNone(async () => {
      const gone = await tx.execute(sql`
        DELETE FROM vitals.definition d WHERE used_at < now() - ${UNUSED_AGE}::interval AND hash IN (
          SELECT hash FROM vitals.definition o
          WHERE used_at < now() - ${UNUSED_AGE}::interval
            AND NOT EXISTS (SELECT 1 FROM needed_definition n WHERE n.hash = o.hash)
          ORDER BY hash LIMIT ${ROWS_AT_ONCE})
        RETURNING 1`);
      return gone.length;
    });
  });
}

async function untilNone(deleteSome: () => Promise<number>): Promise<number> {
  for (let total = 0; ; ) {
    const gone = await deleteSome();
    total += gone;
    if (gone === 0) return total;
  }
}
