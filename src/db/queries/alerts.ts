import { sql } from 'drizzle-orm';
import type { AlertChange } from '../../core/alerts/alert.ts';
import { cleanJson, cleanText } from '../../core/inventory.ts';
import type { Database } from '../client.ts';

type Tx = Pick<Database, 'execute'>;

/**
 * Begins and ends alerts in the caller's transaction, so that none is lost and none is told of a state
 * that was rolled back. Firing what fires already, and resolving what does not, changes nothing: the
 * caller need not know. Each beginning writes a system_event row (`type` is the alert's kind), each end
 * resolves it, and both go into the outbox. Returns how many alerts began and ended.
 */
export async function recordAlertChanges(
  tx: Tx,
  changes: readonly AlertChange[],
): Promise<{ fired: number; resolved: number }> {
  // Later changes of a key build on earlier ones, so what has the same key goes one after the other.
  const done = { fired: 0, resolved: 0 };
  for (const batch of batchesOf(changes)) {
    const fired = batch.filter((change) => change.action === 'fire');
    const resolved = batch.filter((change) => change.action === 'resolve');
    if (fired.length > 0) done.fired += await fire(tx, fired);
    if (resolved.length > 0) done.resolved += await resolve(tx, resolved);
  }
  return done;
}

/** The changes in batches, in order, no key twice in one. */
function batchesOf(changes: readonly AlertChange[]): AlertChange[][] {
  const batches: AlertChange[][] = [];
  const places = new Map<string, number>();
  for (const change of changes) {
    const place = (places.get(change.key) ?? -1) + 1;
    places.set(change.key, place);
    batches[place] = [...(batches[place] ?? []), change];
  }
  return batches;
}

async function fire(tx: Tx, changes: readonly AlertChange[]): Promise<number> {
  const rows = JSON.stringify(
    changes.map((change) =>
      change.action === 'fire'
        ? {
            ...change,
            title: cleanText(change.title),
            description: change.description === null ? null : cleanText(change.description),
            data: cleanJson(change.data),
          }
        : change,
    ),
  );
  const [row] = await tx.execute<{ count: number }>(sql`
    WITH begun AS (
      INSERT INTO vitals.alert (key, kind, severity, server_id, tenant_id, title, description, data, started_at, event_id)
      SELECT key, kind, severity, "serverId", "tenantId", title, description, coalesce(data, '{}'),
        to_timestamp("atMs" / 1000.0), gen_random_uuid()
      FROM jsonb_to_recordset(${rows}::jsonb) AS r(key text, kind text, severity text, "serverId" text, "tenantId" text,
        title text, description text, data jsonb, "atMs" float8)
      ORDER BY key
      ON CONFLICT (key) WHERE resolved_at IS NULL DO NOTHING
      RETURNING *
    ), events AS (
      INSERT INTO system_event (id, type, category, title, description, severity, source, tenant_id, resource_type,
        resource_id, data, status, occurred_at, created_at)
      SELECT event_id, kind, CASE WHEN kind IN ('drift_suspicious', 'pin_broken') THEN 'security'
          WHEN kind = 'slo_burn' THEN 'performance' ELSE 'system' END,
        title, description, severity, 'mcp-vitals', tenant_id,
        CASE WHEN server_id IS NOT NULL THEN 'mcp_server' END, server_id,
        data::json, 'active', started_at, now()
      FROM begun
    ), told AS (
      INSERT INTO vitals.outbox (alert_id, transition, created_at)
      SELECT id, 'fire', started_at FROM begun
    )
    SELECT count(*)::int AS count FROM begun`);
  return row?.count ?? 0;
}

async function resolve(tx: Tx, changes: readonly AlertChange[]): Promise<number> {
  const rows = JSON.stringify(
    changes.map(({ key, atMs, data }) => ({ key, atMs, data: cleanJson(data ?? {}) })),
  );
  const [row] = await tx.execute<{ count: number }>(sql`
    WITH ended AS (
      UPDATE vitals.alert a SET resolved_at = greatest(a.started_at, to_timestamp(r."atMs" / 1000.0)),
        data = a.data || coalesce(r.data, '{}')
      FROM jsonb_to_recordset(${rows}::jsonb) AS r(key text, "atMs" float8, data jsonb)
      WHERE a.key = r.key AND a.resolved_at IS NULL
      RETURNING a.*
    ), events AS (
      UPDATE system_event e SET status = 'resolved', resolved_at = ended.resolved_at, resolved_by = 'mcp-vitals'
      FROM ended WHERE e.id = ended.event_id
    ), told AS (
      INSERT INTO vitals.outbox (alert_id, transition, created_at)
      SELECT id, 'resolve', resolved_at FROM ended
    )
    SELECT count(*)::int AS count FROM ended`);
  return row?.count ?? 0;
}
