import type { Database } from '../db/client.ts';
import { readServers } from '../db/queries/server-details.ts';

/** A server by its id, or by its name where only one has it; null when there is none. */
export async function findServer(
  db: Database,
  idOrName: string,
): Promise<{ id: string; name: string; tenantId: string | null } | null> {
  const rows = await readServers(db, { idOrName });
  const row = rows.find(({ id }) => id === idOrName) ?? (rows.length === 1 ? rows[0] : undefined);
  return row ? { id: row.id, name: row.name, tenantId: row.tenantId } : null;
}
