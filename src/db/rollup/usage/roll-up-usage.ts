import { sql } from 'drizzle-orm';
import type { Database } from '../../client.ts';
import { indexArrivals, USAGE_SOURCE } from '../arrivals.ts';
import {
  moveBackfill,
  moveWatermark,
  restartWatermark,
  takeWatermark,
  type Watermark,
} from '../watermark.ts';
import { countCalls } from './count-calls.ts';
import { countTenants, reportQuotas } from './counters.ts';
import { type EventPolicy, reportUsage } from './events.ts';
import { foldCalls } from './fold-calls.ts';
import { HOURS_OF_EACH_FOR, MINUTES_FOR } from './periods.ts';
import { recomputeDay } from './recompute.ts';
import { prepareSession, runAll, type Session, USAGE_ROLLUP } from './session.ts';
import { setAside } from './set-aside.ts';
import { addDelta, deleteBuckets } from './store-delta.ts';

export interface UsageRollupOptions {
  policy: EventPolicy;
  /** How long a call may take to arrive and still be counted, in milliseconds. */
  graceMs: number;
}

export interface UsageRollup {
  /** Calls that were counted. */
  taken: number;
  /** Calls that were not, by why; `late` among them. */
  setAside: Record<string, number>;
  /** Whether there is more of the backfill to do. */
  more: boolean;
}

async function takeCalls(
  tx: Session,
  where: string,
  lateBeforeMs: number | null,
  policy: EventPolicy,
): Promise<Omit<UsageRollup, 'more'>> {
  await runAll(tx, [
    ...foldCalls({ where, lateBeforeMs, recent: true }),
    ...setAside(where, lateBeforeMs),
    addDelta(),
    ...countCalls(),
    ...countTenants(),
    ...reportUsage(policy),
  ]);
  const [sum] = await tx.execute<{ taken: number }>(
    sql`SELECT coalesce(sum(n), 0)::float8 AS taken FROM u_calls`,
  );
  const aside = await tx.execute<{ problem: string; n: number }>(
    sql`SELECT problem, n::float8 AS n FROM u_aside`,
  );
  return {
    taken: sum?.taken ?? 0,
    setAside: Object.fromEntries(aside.map(({ problem, n }) => [problem, n])),
  };
}

const NOTHING: Omit<UsageRollup, 'more'> = { taken: 0, setAside: {} };

/** New calls: one transaction, with the watermark. */
async function takeNew(tx: Session, mark: Watermark, options: UsageRollupOptions) {
  const where = `vitals_xid >= ${mark.nextXid} AND vitals_xid < ${mark.horizonXid}`;
  const [any] = await tx.execute(sql.raw(`SELECT 1 FROM api_usage WHERE ${where} LIMIT 1`));
  const lateBeforeMs = mark.takenAtMs === null ? null : mark.takenAtMs - options.graceMs;
  const result = any ? await takeCalls(tx, where, lateBeforeMs, options.policy) : NOTHING;
  await runAll(tx, [
    deleteBuckets(`period = 'minute' AND period_start < now() - ${MINUTES_FOR}`),
    deleteBuckets(
      `period = 'hour' AND kind IN ('user', 'token') AND period_start < now() - ${HOURS_OF_EACH_FOR}`,
    ),
    reportQuotas(),
  ]);
  await moveWatermark(tx, mark);
  return result;
}

/** One more day of the calls that were there before their transactions were noted. */
async function takeOlder(tx: Session, mark: Watermark, { policy }: UsageRollupOptions) {
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
  else result = await takeCalls(tx, where, null, policy);
  await moveBackfill(tx, USAGE_ROLLUP, next.last ? null : next.to);
  return { ...result, more: !next.last };
}

/**
 * Takes the calls that arrived since the last run, in one transaction with its watermark, and then a day of
 * the backfill in another; null when another replica is at it.
 */
export async function rollUpUsage(db: Database, options: UsageRollupOptions): Promise<UsageRollup | null> {
  const fresh = await db.transaction(async (tx) => {
    await prepareSession(tx);
    const mark = await takeWatermark(tx, USAGE_ROLLUP);
    if (mark?.moved) await restartWatermark(tx, USAGE_ROLLUP, USAGE_SOURCE);
    return (
      mark &&
      (mark.moved ? { ...NOTHING, moved: true } : { ...(await takeNew(tx, mark, options)), moved: false })
    );
  });
  if (!fresh) return null;
  if (fresh.moved) await indexArrivals(db, USAGE_SOURCE);
  const older = await db.transaction(async (tx) => {
    await prepareSession(tx);
    const mark = await takeWatermark(tx, USAGE_ROLLUP);
    if (!mark || mark.moved || mark.backfillDone) return { ...NOTHING, more: false };
    return takeOlder(tx, mark, options);
  });
  const setAside = { ...fresh.setAside };
  for (const [problem, n] of Object.entries(older.setAside)) setAside[problem] = (setAside[problem] ?? 0) + n;
  return { taken: fresh.taken + older.taken, setAside, more: older.more };
}
