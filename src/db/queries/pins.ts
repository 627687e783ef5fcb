import { sql } from 'drizzle-orm';
import type { BrokenPin } from '../../core/drift/decide-drift.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';
import { recordViolation } from './store-drift.ts';

type Tx = Pick<Database, 'execute'>;

export interface PinRow extends Record<string, unknown> {
  serverId: string;
  serverName: string;
  tenantId: string | null;
  hash: string;
  pinnedMs: number;
  /** The inventory that it has now. */
  currentHash: string | null;
  /** Since when it is broken; null while it is not. */
  brokenMs: number | null;
}

/** All pins, or one server's. */
export async function readPins(db: Tx, serverId: string | null): Promise<PinRow[]> {
  const rows = await db.execute<PinRow>(sql`
    SELECT p.server_id AS "serverId", m.name AS "serverName", m.tenant_id AS "tenantId", p.snapshot_hash AS hash,
      (extract(epoch FROM p.pinned_at) * 1000)::float8 AS "pinnedMs",
      (SELECT snapshot_hash FROM vitals.inventory_change c WHERE c.server_id = p.server_id ORDER BY id DESC LIMIT 1) AS "currentHash",
      (SELECT (extract(epoch FROM a.started_at) * 1000)::float8 FROM vitals.alert a
        WHERE a.server_id = p.server_id AND a.kind = 'pin_broken' AND a.resolved_at IS NULL LIMIT 1) AS "brokenMs"
    FROM vitals.inventory_pin p JOIN mcp_server m ON m.id = p.server_id
    WHERE ${serverId}::text IS NULL OR p.server_id = ${serverId}
    ORDER BY m.name, p.server_id`);
  return [...rows];
}

/** What was decided about an inventory is another one's by now: somebody probed or pinned it meanwhile. */
export class PinConflictError extends Error {
  readonly code = 'PIN_CONFLICT';
}

/**
 * Holds a server to a snapshot, and ends what was open about its inventory: a person has looked at it.
 * `broken` is how the inventory that it has now differs from that snapshot.
 */
export async function writePin(
  db: Database,
  pin: {
    serverId: string;
    tenantId: string | null;
    hash: string;
    currentHash: string;
    atMs: number;
    broken: BrokenPin | null;
  },
): Promise<void> {
  const { serverId, tenantId, hash, currentHash, atMs, broken } = pin;
  await db.transaction(async (tx) => {
    await lockServer(tx, serverId, currentHash);
    await tx.execute(sql`
      INSERT INTO vitals.inventory_pin (server_id, snapshot_hash, pinned_at)
      VALUES (${serverId}, ${hash}, to_timestamp(${atMs}::float8 / 1000))
      ON CONFLICT (server_id) DO UPDATE SET snapshot_hash = excluded.snapshot_hash, pinned_at = excluded.pinned_at`);
    await settle(tx, serverId, atMs, `accepted ${hash}`);
    if (!broken) return;
    await recordAlertChanges(tx, [broken.alert]);
    await recordViolation(tx, { serverId, tenantId, atMs, hash: currentHash }, broken.violation);
  });
}

/** Lets go of a server; false when it was not pinned. */
export async function removePin(db: Database, serverId: string, atMs: number): Promise<boolean> {
  return await db.transaction(async (tx) => {
    await lockServer(tx, serverId, null);
    const gone = await tx.execute(sql`
      DELETE FROM vitals.inventory_pin WHERE server_id = ${serverId} RETURNING server_id`);
    if (gone.length === 0) return false;
    await settle(tx, serverId, atMs, 'unpinned');
    return true;
  });
}

/** As the store locks them: what is decided here and there about one server comes one after the other. */
async function lockServer(tx: Tx, serverId: string, currentHash: string | null): Promise<void> {
  await tx.execute(sql`
    SELECT m.id FROM mcp_server m JOIN vitals.server_state s ON s.server_id = m.id
    WHERE m.id = ${serverId} FOR NO KEY UPDATE OF m, s`);
  if (currentHash === null) return;
  const [row] = await tx.execute<{ hash: string }>(sql`
    SELECT snapshot_hash AS hash FROM vitals.inventory_change WHERE server_id = ${serverId} ORDER BY id DESC LIMIT 1`);
  if (row?.hash !== currentHash) {
    throw new PinConflictError('its inventory changed at this moment: look at it again');
  }
}

/** Ends the alerts and security events about a server's inventory. */
async function settle(tx: Tx, serverId: string, atMs: number, notes: string): Promise<void> {
  const open = await tx.execute<{ key: string }>(sql`
    SELECT key FROM vitals.alert WHERE server_id = ${serverId} AND resolved_at IS NULL
      AND kind IN ('drift_breaking', 'drift_suspicious', 'pin_broken')
    ORDER BY key`);
  await recordAlertChanges(
    tx,
    open.map(({ key }) => ({ action: 'resolve', key, atMs, data: { accepted: true } })),
  );
  await tx.execute(sql`
    UPDATE security_event SET investigation_status = 'resolved', investigated_by = 'mcp-vitals pin',
      investigation_notes = ${notes}, investigated_at = to_timestamp(${atMs}::float8 / 1000),
      resolved_at = to_timestamp(${atMs}::float8 / 1000)
    WHERE type = 'inventory_pin_broken' AND investigation_status IN ('pending', 'in_progress')
      AND details->'custom'->>'serverId' = ${serverId}`);
}
