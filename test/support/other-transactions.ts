import { sql } from 'drizzle-orm';
import type { Database } from '../../src/db/client.ts';

/**
 * Waits for the transactions that others have open now: of other databases on the server (of other test
 * files), and of the server itself. A snapshot counts them, so that no rollup goes beyond them.
 */
export async function awaitOtherTransactions(db: Pick<Database, 'execute'>): Promise<void> {
  const open = () =>
    db.execute<{ id: string }>(sql`
      SELECT backend_xid::text AS id FROM pg_stat_activity
      WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
        AND NOT (datname IS NOT DISTINCT FROM current_database() AND backend_type = 'client backend')`);
  const awaited = new Set((await open()).map(({ id }) => id));
  while (awaited.size > 0) {
    const still = new Set((await open()).map(({ id }) => id));
    for (const id of awaited) if (!still.has(id)) awaited.delete(id);
  }
}
