import { sql } from 'drizzle-orm';
import { HEALTH_ALERTS } from '../../core/health/memory.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';
import { SHORT_TRANSACTION } from './fragments.ts';

/**
 * Ends the health alerts of servers that a person has switched off: they are not probed any more, so no
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
        AND a.kind IN (SELECT jsonb_array_elements_text(${JSON.stringify(HEALTH_ALERTS)}::jsonb))
      ORDER BY m.id FOR NO KEY UPDATE OF m, s SKIP LOCKED`);
    if (rows.length === 0) return 0;
    const ids = JSON.stringify(rows.map(({ serverId }) => serverId));
    await tx.execute(sql`
      UPDATE vitals.server_state SET memory = jsonb_set(memory, '{firing}', '[]')
      WHERE server_id IN (SELECT jsonb_array_elements_text(${ids}::jsonb)) AND jsonb_typeof(memory) = 'object'`);
    const { resolved } = await recordAlertChanges(
      tx,
      rows.map(({ key, nowMs }) => ({
        action: 'resolve',
        key,
        atMs: Math.round(nowMs),
        data: { after: 'switched off' },
      })),
    );
    return resolved;
  });
}
