import { sql } from 'drizzle-orm';
import { moveBackfill, type Watermark } from '../watermark.ts';
import type { EventPolicy } from './events.ts';
import { recomputeDay } from './recompute.ts';
import { type Session, USAGE_ROLLUP } from './session.ts';
import { foldSlice, NOTHING, storeSlice, type Taken } from './slice.ts';

/** Takes one more day of the calls that were there before their transactions were noted. */
export async function takeOlder(
  tx: Session,
  mark: Watermark,
  policy: EventPolicy,
): Promise<Taken & { more: boolean }> {
  const from =
    mark.backfilledToMs === null ? `'-infinity'` : `to_timestamp(${mark.backfilledToMs / 1000}::float8)`;
  const older = `vitals_xid IS NULL AND requested_at >= ${from}`;
  const [next] = await tx.execute<{ from: number; to: number; last: boolean }>(
    sql.raw(`
    SELECT extract(epoch FROM day)::float8 * 1000 AS from, extract(epoch FROM day + interval '1 day')::float8 * 1000 AS to,
      day > now() AS last
    FROM (SELECT date_trunc('day', greatest('1999-12-31 00:00+00',
      least(min(requested_at), now() + interval '2 days'))) AS day FROM api_usage WHERE ${older}) d WHERE day IS NOT NULL`),
  );
  const [any] = await tx.execute(sql.raw(`SELECT 1 FROM api_usage WHERE ${older} LIMIT 1`));
  if (!any || !next) {
    await moveBackfill(tx, USAGE_ROLLUP, null);
    return { ...NOTHING, more: false };
  }
  const where = next.last ? older : `${older} AND requested_at < to_timestamp(${next.to / 1000}::float8)`;
  let result = NOTHING;
  if (mark.backfillRebuilds) await recomputeDay(tx, mark, next.from, policy);
  else {
    await foldSlice(tx, where, null);
    result = await storeSlice(tx, policy);
  }
  await moveBackfill(tx, USAGE_ROLLUP, next.last ? null : next.to);
  return { ...result, more: !next.last };
}
