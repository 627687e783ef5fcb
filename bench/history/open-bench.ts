import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { loadConfig } from '../../src/config/load-config.ts';
import { openDatabase } from '../../src/daemon/database.ts';
import type { Database } from '../../src/db/client.ts';
import { insertServers } from '../../src/db/queries/servers.ts';

/** Of all values, that which so large a share does not exceed. */
export const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((one, other) => one - other)[Math.ceil(share * values.length) - 1] ?? 0;

/** Runs a bench on the database that DATABASE_URL names, or on an embedded one of its own; leaves nothing there. */
export async function withBenchServers(
  servers: number,
  work: (db: Database, ids: string[]) => Promise<void>,
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-vitals-bench-'));
  const config = loadConfig({ ...process.env, VITALS_DATA_DIR: dataDir }, process.cwd());
  const database = await openDatabase(config, () => undefined, {});
  const { db } = database;
  try {
    const ids = Array.from({ length: servers }, (_, place) => `bench-${place}`);
    await insertServers(
      db,
      ids.map((id) => ({
        id,
        name: id,
        version: '',
        endpointUrl: `http://127.0.0.1:1/${id}`,
        transportType: 'http' as const,
        ownerId: 'bench',
      })),
    );
    await work(db, ids);
  } finally {
    await db.execute(sql`DELETE FROM mcp_server WHERE id LIKE 'bench-%'`);
    await database.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}
