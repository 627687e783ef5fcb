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

/** Rows of a table that its rollup has not taken yet: none of them may be removed. */
export interface Untaken {
  /** There is none before this moment, in milliseconds; Infinity: none is known, -Infinity: nothing is known. */
  fromMs: number;
  /** SQL over the table: what arrived meanwhile, whatever its time, is not taken. */
  isTaken: string;
}

/** What a table's rollup has not taken; null: the table is not rolled up. */
export async function findUntaken(db: Pick<Database, 'execute'>, table: string): Promise<Untaken | null> {
  const source = ROLLED_UP.find((candidate) => candidate.table === table);
  if (!source) return null;
  const mark = await readWatermark(db, source.rollup);
  if (mark === null || mark.moved) return { fromMs: -Infinity, isTaken: 'false' };
  const [row] = await db.execute<{ oldestMs: number | null }>(sql`
    SELECT (extract(epoch FROM min(${sql.identifier(source.timeColumn)})) * 1000)::float8 AS "oldestMs"
    FROM ${sql.identifier(table)} WHERE ${sql.identifier(ARRIVAL_COLUMN)} >= ${mark.nextXid}::bigint`);
  return {
    fromMs: Math.min(
      row?.oldestMs ?? Infinity,
      mark.backfillDone ? Infinity : (mark.backfilledToMs ?? -Infinity),
    ),
    isTaken: `("${ARRIVAL_COLUMN}" IS NULL OR "${ARRIVAL_COLUMN}" < ${mark.nextXid})`,
  };
}
