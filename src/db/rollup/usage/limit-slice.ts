import { sql } from 'drizzle-orm';
import type { Watermark } from '../watermark.ts';
import type { Session } from './session.ts';

/** So many pages of the table are looked at, wherever they are: what it costs does not grow with the table. */
const SAMPLE_PAGES = 300;

/**
 * As far as about `maxRows` new calls go, told from a sample of them; never into the middle of a transaction,
 * whose calls all have its id. Any other end would be as right: what is left is the next slice's.
 */
export async function limitSlice(tx: Session, mark: Watermark, maxRows: number): Promise<Watermark> {
  const [size] = await tx.execute<{ pages: number }>(sql`
    SELECT (sum(pg_relation_size(relid)) / current_setting('block_size')::int)::float8 AS pages
    FROM pg_partition_tree('api_usage')`);
  const percent = Math.min(100, (100 * SAMPLE_PAGES) / Math.max(1, size?.pages ?? 0));
  const wanted = Math.round((maxRows * percent) / 100);
  const [sample] = await tx.execute<{ rows: number; first: number; last: number }>(
    sql.raw(`SELECT count(*)::int AS rows, min(xid)::float8 AS first, max(xid)::float8 AS last FROM (
      SELECT vitals_xid AS xid FROM api_usage TABLESAMPLE SYSTEM (${percent})
      WHERE vitals_xid >= ${mark.nextXid} AND vitals_xid < ${mark.horizonXid} ORDER BY 1 LIMIT ${wanted + 1}) s`),
  );
  if (!sample || sample.rows <= wanted) return mark;
  // One transaction alone may be more than that.
  const end = sample.last > sample.first ? sample.last : sample.last + 1;
  return { ...mark, horizonXid: Math.min(mark.horizonXid, end) };
}
