import { sql } from 'drizzle-orm';
import { type Database, openSession } from '../client.ts';
import { runAlone } from '../migrations/concurrent-index.ts';

/**
 * The column in which each new row of a rolled up table has the id of its transaction (in 64 bits, that
 * never come again). Filled by a default, so that whoever writes the rows need not know of it; NULL in
 * the rows that were there before. No Drizzle table has it: the gateway's keys are its contract.
 */
export const ARRIVAL_COLUMN = 'vitals_xid';

/** A table whose rows are rolled up, and the column that says which period a row belongs to. */
export interface RollupSource {
  readonly table: 'api_usage' | 'mcp_server_health_check';
  readonly timeColumn: string;
}
export const USAGE_SOURCE: RollupSource = { table: 'api_usage', timeColumn: 'requested_at' };
export const HEALTH_SOURCE: RollupSource = { table: 'mcp_server_health_check', timeColumn: 'checked_at' };

type Session = Pick<Database, 'execute'>;

/**
 * Forgets of which transactions the rows are, those that come from now on excepted. Instant: a dropped
 * column is only marked, and one without a default is only added. The index has to be made again.
 */
export async function forgetArrivals(tx: Session, { table }: RollupSource): Promise<void> {
  const name = sql.identifier(table);
  const column = sql.identifier(ARRIVAL_COLUMN);
  await tx.execute(sql`ALTER TABLE ${name} DROP COLUMN IF EXISTS ${column}`);
  await tx.execute(sql`ALTER TABLE ${name} ADD COLUMN ${column} bigint`);
  await tx.execute(
    sql`ALTER TABLE ${name} ALTER COLUMN ${column} SET DEFAULT (pg_current_xact_id()::text::bigint)`,
  );
}

/** Makes the index that finds new rows, unless it is there, without stopping who writes. */
export async function indexArrivals(
  { $client }: Pick<Database, '$client'>,
  { table }: RollupSource,
): Promise<void> {
  const session = openSession($client);
  try {
    await runAlone(
      session,
      `CREATE INDEX CONCURRENTLY IF NOT EXISTS "${table}_${ARRIVAL_COLUMN}_idx" ON "public"."${table}"
        USING brin (${ARRIVAL_COLUMN}) WITH (autosummarize = on, pages_per_range = 32)`,
    );
  } finally {
    await session.end({ timeout: 5 });
  }
}
