import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { mcpServer, tenant } from '../schema/index.ts';

export interface RegisteredServer {
  id: string;
  endpointUrl: string;
  transportType: string;
}

/** Where a registered server is reached; null when it is not registered. */
export async function findRegistered(db: Database, id: string): Promise<RegisteredServer | null> {
  const [row] = await db
    .select({ id: mcpServer.id, endpointUrl: mcpServer.endpointUrl, transportType: mcpServer.transportType })
    .from(mcpServer)
    .where(eq(mcpServer.id, id));
  return row ?? null;
}

/** Which servers a command means; what is left out does not narrow. */
export interface ServerSelection {
  ids?: string[];
  tag?: string;
  tenantId?: string;
}

/** The selected servers, by id. */
export async function selectServers(
  db: Database,
  selection: ServerSelection,
): Promise<{ id: string; name: string }[]> {
  const conditions: SQL[] = [];
  if (selection.ids) conditions.push(inArray(mcpServer.id, selection.ids));
  if (selection.tenantId !== undefined) conditions.push(eq(mcpServer.tenantId, selection.tenantId));
  if (selection.tag !== undefined) {
    conditions.push(sql`${mcpServer.tags}::jsonb @> ${JSON.stringify([selection.tag])}::jsonb`);
  }
  return await db
    .select({ id: mcpServer.id, name: mcpServer.name })
    .from(mcpServer)
    .where(and(...conditions))
    .orderBy(mcpServer.id);
}

/** Those of the tenants that exist. */
export async function findTenants(db: Database, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db.select({ id: tenant.id }).from(tenant).where(inArray(tenant.id, ids));
  return rows.map((row) => row.id);
}

export type NewServer = typeof mcpServer.$inferInsert;

/** Registers servers in one statement; those whose id is taken are left alone. Gives the ids that went in. */
export async function insertServers(db: Database, servers: NewServer[]): Promise<string[]> {
  if (servers.length === 0) return [];
  const rows = await db
    .insert(mcpServer)
    .values(servers)
    .onConflictDoNothing()
    .returning({ id: mcpServer.id });
  return rows.map((row) => row.id);
}

/** Takes servers off the registry, with all that hangs on them; gives the ids that were there. */
export async function deleteServers(db: Database, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db.delete(mcpServer).where(inArray(mcpServer.id, ids)).returning({ id: mcpServer.id });
  return rows.map((row) => row.id);
}
