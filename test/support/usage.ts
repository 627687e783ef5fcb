import { sql } from 'drizzle-orm';
import type { Database } from '../../src/db/client.ts';

/** Real calls of one server as a gateway records them: how many of each status, `agoMs` before now. */
export async function recordCalls(
  db: Database,
  serverId: string,
  byStatus: Record<number, number>,
  agoMs = 1_000,
): Promise<void> {
  for (const [status, count] of Object.entries(byStatus)) {
    await db.execute(sql`
      INSERT INTO api_usage (id, server_id, path, method, status_code, requested_at)
      SELECT gen_random_uuid(), ${serverId}, '/mcp', 'POST', ${Number(status)}::int,
        now() - ${agoMs}::float8 * interval '1 millisecond'
      FROM generate_series(1, ${count}::int)`);
  }
}
