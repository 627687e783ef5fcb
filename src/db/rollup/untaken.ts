import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { HEALTH_ROLLUP } from '../queries/health-rollup.ts';
import { ARRIVAL_COLUMN, HEALTH_SOURCE, type RollupSource, USAGE_SOURCE } from './arrivals.ts';
import { USAGE_ROLLUP } from './usage/session.ts';
import { readWatermark } from './watermark.ts';

const ROLLED_UP: readonly (RollupSource & { rollup: string })[] = [
  { ...USAGE_SOURCE, rollup: USAGE_ROLLUP },
  { ...HEALTH_SOURCE, rollup: HEALTH_ROLLUP },
];

/**
 * The time of the oldest row of a table that its rollup has not taken yet: nothing from then on may be
 * removed. null: it has taken all that is there, or the table is not rolled up.
 */
export async function findUntaken(db: Pick<Database, 'execute'>, table: string): Promise<Date | null> {
  const source = ROLLED_UP.find((candidate) => candidate.table === table);
  if (!source) return null;
  const mark = await readWatermark(db, source.rollup);
  if (mark === null || mark.moved || !mark.backfillDone) return new Date(mark?.backfilledToMs ?? 0);
  const [row] = await db.execute<{ oldestMs: number | null }>(sql`
    SELECT (extract(epoch FROM min(${sql.identifier(source.timeColumn)})) * 1000)::float8 AS "oldestMs"
    FROM ${sql.identifier(table)} WHERE ${sql.identifier(ARRIVAL_COLUMN)} >= ${mark.nextXid}::bigint`);
  return row?.oldestMs == null ? null : new Date(row.oldestMs);
}
