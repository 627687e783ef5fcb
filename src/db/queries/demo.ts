import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { mcpServer } from '../schema/index.ts';
import type { NewServer } from './servers.ts';

/** Rows of the demo fleet of an earlier run are known by their id and their tag. */
const IS_DEMO = sql`(id LIKE 'demo-%' AND tags::jsonb @> '["demo"]')`;

/** How many servers are registered besides those of the demo. */
export async function countOwnServers(db: Database): Promise<number> {
  const [row] = await db.execute<{ n: number }>(
    sql`SELECT count(*)::int AS n FROM mcp_server WHERE NOT ${IS_DEMO}`,
  );
  return row?.n ?? 0;
}

/** Registers the demo fleet at its new addresses, keeps its history, and makes every server due now. */
export async function registerDemo(db: Database, servers: NewServer[]): Promise<void> {
  await db.transaction(async (tx) => {
    await tx
      .insert(mcpServer)
      .values(servers)
      .onConflictDoUpdate({
        target: mcpServer.id,
        set: {
          endpointUrl: sql`excluded.endpoint_url`,
          transportType: sql`excluded.transport_type`,
          authType: sql`excluded.auth_type`,
          authConfig: sql`excluded.auth_config`,
        },
      });
    await tx.execute(sql`
      UPDATE vitals.server_state SET next_probe_at = now(), lease_until = NULL, lease_slot = NULL
      WHERE server_id IN (SELECT id FROM mcp_server WHERE ${IS_DEMO})`);
  });
}

/** Takes the demo fleet of an earlier run off the registry; gives how many servers that were. */
export async function removeDemo(db: Database): Promise<number> {
  const rows = await db.execute(sql`DELETE FROM mcp_server WHERE ${IS_DEMO} RETURNING id`);
  return rows.length;
}

/** Keeps the sweeps away from the demo fleet of an earlier run. */
export async function putOffDemo(db: Database): Promise<void> {
  await db.execute(sql`
    UPDATE vitals.server_state SET next_probe_at = greatest(next_probe_at, now() + interval '1 minute')
    WHERE server_id IN (SELECT id FROM mcp_server WHERE ${IS_DEMO})`);
}
