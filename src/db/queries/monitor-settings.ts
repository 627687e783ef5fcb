import { sql } from 'drizzle-orm';
import { cleanJson } from '../../core/inventory.ts';
import { asObject } from '../../core/monitor/reader.ts';
import type { Database } from '../client.ts';

/** The monitoring settings of a server as they are stored, whatever they are; undefined when it is not registered. */
export async function readMonitor(db: Database, serverId: string): Promise<{ monitor: unknown } | undefined> {
  const [row] = await db.execute<{ settings: unknown }>(
    sql`SELECT settings FROM mcp_server WHERE id = ${serverId}`,
  );
  return row && { monitor: asObject(row.settings)?.monitor ?? null };
}

/** Replaces them, or takes them away with null; all else in `settings` stays. False when it is not registered. */
export async function writeMonitor(db: Database, serverId: string, monitor: unknown): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const [row] = await tx.execute<{ settings: unknown }>(
      sql`SELECT settings FROM mcp_server WHERE id = ${serverId} FOR NO KEY UPDATE`,
    );
    if (!row) return false;
    const { monitor: _before, ...others } = asObject(row.settings) ?? {};
    const settings = monitor === null ? others : { ...others, monitor: cleanJson(monitor) };
    await tx.execute(sql`
      UPDATE mcp_server SET settings = ${JSON.stringify(settings)}::json, updated_at = now()
      WHERE id = ${serverId}`);
    return true;
  });
}
