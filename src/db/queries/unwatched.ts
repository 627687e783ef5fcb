import { sql } from 'drizzle-orm';
import { HEALTH_ALERTS } from '../../core/health/memory.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';
import { SHORT_TRANSACTION } from './fragments.ts';

/** What only a probe would end. */
const ENDED_KINDS = [...HEALTH_ALERTS, 'certificate_expiring'] as const;

/**
 * Ends the alerts of servers that a person has switched off or removed: they are not probed any more, so no
 * probe would. Gives how many ended.
 */
export async function endUnwatchedAlerts(db: Database): Promise<number> {
  return await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT ${SHORT_TRANSACTION}`);
    const rows = await tx.execute<{ key: string; serverId: string; nowMs: number }>(sql`
      SELECT a.key, a.server_id AS "serverId", (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"
      FROM vitals.alert a
      JOIN mcp_server m ON m.id = a.server_id
      JOIN vitals.server_state s ON s.server_id = m.id
      WHERE a.resolved_at IS NULL AND m.status = 'inactive' AND m.last_health_check IS NOT NULL
        AND s.status_written IS DISTINCT FROM 'inactive'
        AND a.kind IN (SELECT jsonb_array_elements_text(${JSON.stringify(ENDED_KINDS)}::jsonb))
      ORDER BY m.id FOR NO KEY UPDATE OF m, s SKIP LOCKED`);
    const orphans = await tx.execute<{ key: string; nowMs: number }>(sql`
      SELECT key, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs" FROM vitals.alert
      WHERE resolved_at IS NULL AND server_id IS NULL AND kind NOT IN ('incident', 'monitor_offline')`);
    if (rows.length + orphans.length === 0) return 0;
    const ids = JSON.stringify(rows.map(({ serverId }) => serverId));
    await tx.execute(sql`
      UPDATE vitals.server_state SET memory = jsonb_set(memory, '{firing}', '[]')
      WHERE server_id IN (SELECT jsonb_array_elements_text(${ids}::jsonb)) AND jsonb_typeof(memory) = 'object'`);
    await tx.execute(sql`
      UPDATE system_event e SET status = 'resolved', resolved_at = now(), resolved_by = 'mcp-vitals'
      WHERE e.type = 'server.status_changed' AND e.source = 'mcp-vitals' AND e.status IN ('active', 'acknowledged')
        AND (e.resource_id IN (SELECT jsonb_array_elements_text(${ids}::jsonb))
          OR NOT EXISTS (SELECT 1 FROM mcp_server m WHERE m.id = e.resource_id))`);
    const ended = (after: string) => (row: { key: string; nowMs: number }) => ({
      action: 'resolve' as const,
      key: row.key,
      atMs: Math.round(row.nowMs),
      data: { after },
    });
    const { resolved } = await recordAlertChanges(tx, [
      ...rows.map(ended('switched off')),
      ...orphans.map(ended('removed')),
    ]);
    return resolved;
  });
}
