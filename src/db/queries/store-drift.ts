import { sql } from 'drizzle-orm';
import type { PinViolation } from '../../core/drift/decide-drift.ts';
import { cleanJson, cleanText } from '../../core/inventory.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';
import type { SnapshotWrite } from './inventory-write.ts';

type Tx = Pick<Database, 'execute'>;

/** What is kept of one server's past: so many changes, and so many bytes of what they added. */
const MAX_KEPT_CHANGES = 500;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/**
 * Stores a snapshot and what is to be told of it, in the caller's transaction: a statement for each two
 * megabytes of definitions, and a handful more, however many tools there are.
 */
export async function storeSnapshot(
  tx: Tx,
  serverId: string,
  atMs: number,
  snapshot: SnapshotWrite,
): Promise<void> {
  const changedAt = sql`to_timestamp(${atMs}::float8 / 1000)`;
  const [pin] = await tx.execute<{ hash: string }>(sql`
    SELECT snapshot_hash AS hash FROM vitals.inventory_pin WHERE server_id = ${serverId}`);
  // What was decided holds for another pin: it is decided anew at the next probe.
  if ((pin?.hash ?? null) !== snapshot.pinnedHash) throw new Error('it was pinned or accepted meanwhile');
  for (const chunk of snapshot.definitions) {
    // `used_at` moves once an hour at most: a definition of a thousand servers is not written by each of them.
    await tx.execute(sql`
      INSERT INTO vitals.definition AS d (hash, body, bytes, used_at)
      SELECT hash, body, bytes, now() FROM json_to_recordset(${chunk}::json) AS r(hash text, body text, bytes integer)
      ON CONFLICT (hash) DO UPDATE SET used_at = excluded.used_at
      WHERE d.used_at < excluded.used_at - interval '1 hour'`);
  }
  await tx.execute(sql`
    INSERT INTO vitals.inventory_snapshot AS s (hash, server_name, items, tokens, created_at, used_at)
    VALUES (${snapshot.hash}, ${snapshot.serverName}, ${snapshot.items}::jsonb, ${snapshot.tokens}, ${changedAt}, now())
    ON CONFLICT (hash) DO UPDATE SET used_at = excluded.used_at
    WHERE s.used_at < excluded.used_at - interval '1 hour'`);
  await tx.execute(sql`
    INSERT INTO vitals.inventory_change (server_id, snapshot_hash, previous_hash, identity, changes, counts, grade,
      tokens, previous_tokens, kept_bytes, changed_at)
    VALUES (${serverId}, ${snapshot.hash}, ${snapshot.previousHash}, ${JSON.stringify(cleanJson(snapshot.identity))}::jsonb,
      ${snapshot.changes}::jsonb, ${snapshot.counts}::jsonb, ${snapshot.grade}, ${snapshot.tokens},
      ${snapshot.previousTokens}, ${snapshot.keptBytes}, ${changedAt})`);
  if (snapshot.previousHash !== null) await forgetOldChanges(tx, serverId);
  await tell(tx, serverId, atMs, snapshot);
}

/** The newest changes of a server stay, the last two whatever their size. */
async function forgetOldChanges(tx: Tx, serverId: string): Promise<void> {
  await tx.execute(sql`
    DELETE FROM vitals.inventory_change WHERE id IN (
      SELECT id FROM (
        SELECT id, row_number() OVER newest AS place, sum(kept_bytes::bigint) OVER newest AS bytes
        FROM vitals.inventory_change WHERE server_id = ${serverId}
        WINDOW newest AS (ORDER BY id DESC)) c
      WHERE place > ${MAX_KEPT_CHANGES} OR (place > 2 AND bytes > ${MAX_KEPT_BYTES}))`);
}

async function tell(
  tx: Tx,
  serverId: string,
  atMs: number,
  { decision, tenantId, hash }: SnapshotWrite,
): Promise<void> {
  const { alerts, events, violation } = decision;
  if (alerts.length > 0) await recordAlertChanges(tx, alerts);
  if (violation) await recordViolation(tx, { serverId, tenantId, atMs, hash }, violation);
  if (events.length === 0) return;
  const rows = JSON.stringify(
    events.map((event) => ({
      ...event,
      title: cleanText(event.title),
      description: cleanText(event.description),
      data: cleanJson(event.data),
    })),
  );
  await tx.execute(sql`
    INSERT INTO system_event (id, type, category, title, description, severity, source, tenant_id, resource_type,
      resource_id, data, status, occurred_at, created_at, resolved_at, resolved_by)
    SELECT gen_random_uuid(), type, CASE WHEN type = 'drift_suspicious' THEN 'security' ELSE 'system' END, title,
      description, severity, 'mcp-vitals', ${tenantId}, 'mcp_server', ${serverId}, data, 'resolved',
      to_timestamp(${atMs}::float8 / 1000), now(), to_timestamp(${atMs}::float8 / 1000), 'mcp-vitals'
    FROM json_to_recordset(${rows}::json) AS r(type text, title text, description text, severity text, data json)`);
}

/** The column wants an address, and nobody connected to us: the change was found by asking. */
const NO_ADDRESS = '0.0.0.0';

/** Writes a security_event row; the same inventory is reported once, however often the server goes back and forth. */
export async function recordViolation(
  tx: Tx,
  {
    serverId,
    tenantId,
    atMs,
    hash,
  }: { serverId: string; tenantId: string | null; atMs: number; hash: string },
  violation: PinViolation,
): Promise<void> {
  const details = JSON.stringify({ custom: cleanJson(violation.custom) });
  await tx.execute(sql`
    INSERT INTO security_event (id, type, severity, source_ip, tenant_id, description, details, action_taken,
      investigation_status, detected_at)
    SELECT gen_random_uuid(), 'inventory_pin_broken', ${violation.severity}, ${NO_ADDRESS}, ${tenantId},
      ${cleanText(violation.description)}, ${details}::json, 'logged', 'pending', to_timestamp(${atMs}::float8 / 1000)
    WHERE NOT EXISTS (
      SELECT 1 FROM security_event e WHERE e.type = 'inventory_pin_broken'
        AND e.investigation_status IN ('pending', 'in_progress')
        AND e.details->'custom'->>'serverId' = ${serverId} AND e.details->'custom'->>'hash' = ${hash})`);
}
