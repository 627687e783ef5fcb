import { sql } from 'drizzle-orm';
import type { Database } from '../../client.ts';
import { takeWatermark, type Watermark } from '../watermark.ts';
import { findUncovered, recountCalls } from './count-calls.ts';
import { clearTenants, countTenants } from './counters.ts';
import { type EventPolicy, forgetEvents, reportUsage } from './events.ts';
import { foldCalls } from './fold-calls.ts';
import { isGood } from './good-rows.ts';
import { MAIN_KINDS, startOf } from './periods.ts';
import { prepareSession, runAll, type Session, USAGE_ROLLUP } from './session.ts';
import { deleteBuckets, replaceWith } from './store-delta.ts';

export interface Recomputed {
  /** Buckets, and counters of servers and tools, that were not as the calls have them. */
  changed: number;
  /** Whether the day was left alone, since fewer of its calls are there than were counted. */
  incomplete: boolean;
}

const DAY_MS = 86_400_000;
const at = (ms: number): string => `to_timestamp(${ms / 1000}::float8)`;
const MAIN = MAIN_KINDS.map((kind) => `'${kind}'`).join();
const GROUP = 'GROUP BY 1, 2, 3';

/** What was taken, and so belongs to the buckets: what is still to be taken is added when it is. */
function isCounted({ nextXid, backfillDone, backfillRebuilds, backfilledToMs }: Watermark): string {
  const older =
    backfillDone || backfillRebuilds
      ? 'true'
      : backfilledToMs === null
        ? 'false'
        : `requested_at < ${at(backfilledToMs)}`;
  return `(vitals_xid < ${nextXid} OR (vitals_xid IS NULL AND ${older}))`;
}

/** `u_wide`: the week or the month of a day, summed from its days as they are stored now. */
function widen(period: 'week' | 'month', fromMs: number): string[] {
  const start = startOf[period](at(fromMs));
  const end = period === 'week' ? `${start} + interval '7 days'` : `${start} + interval '1 month'`;
  const days = `vitals.usage_bucket b WHERE b.period = 'day' AND b.period_start >= ${start} AND b.period_start < ${end}`;
  const sums = ['requests', 'errors', 'time_sum', 'timed', 'bytes', 'status_2xx', 'status_3xx', 'status_5xx'];
  return [
    `DROP TABLE IF EXISTS u_days, u_wide`,
    `CREATE TEMP TABLE u_days ON COMMIT DROP AS SELECT * FROM ${days}`,
    `CREATE TEMP TABLE u_wide ON COMMIT DROP AS
     SELECT '${period}' AS period, ${start} AS start, s.kind, s.key, n, errors, time_sum, timed, bytes, s2, s3, s5,
       l.sketch, r.clients, e.endpoints
     FROM (SELECT kind, key, ${sums.map((name, place) => `sum(${name})::bigint AS ${['n', 'errors', 'time_sum', 'timed', 'bytes', 's2', 's3', 's5'][place]}`).join(', ')}
       FROM u_days GROUP BY 1, 2) s
     LEFT JOIN (SELECT kind, key, array_agg((bin << 40) + n ORDER BY bin) AS sketch FROM (
         SELECT kind, key, x >> 40 AS bin, sum(x & 1099511627775)::bigint AS n FROM u_days, unnest(sketch) x ${GROUP}) b
       GROUP BY 1, 2) l USING (kind, key)
     LEFT JOIN (SELECT kind, key, array_agg(entry ORDER BY entry) AS clients FROM (
         SELECT kind, key, x >> 6, max(x) AS entry FROM u_days, unnest(clients) x ${GROUP}) c
       GROUP BY 1, 2) r USING (kind, key)
     LEFT JOIN (SELECT kind, key, vitals.merge_endpoints(jsonb_object_agg(path, jsonb_build_array(n, errors, time_sum, timed)), NULL) AS endpoints
       FROM (SELECT d.kind, d.key, x.key AS path, sum((x.value->>0)::bigint) AS n, sum((x.value->>1)::bigint) AS errors,
           sum((x.value->>2)::bigint) AS time_sum, sum((x.value->>3)::bigint) AS timed
         FROM u_days d, jsonb_each(d.endpoints) x GROUP BY d.kind, d.key, x.key) p(kind, key, path, n, errors, time_sum, timed)
       GROUP BY 1, 2) e USING (kind, key)`,
  ];
}

async function countChanged(tx: Session, statement: string): Promise<number> {
  return (await tx.execute(sql.raw(statement))).count;
}

/** Makes the buckets of one UTC day, and those of its week and month, what the calls that were taken say. */
export async function recomputeDay(
  tx: Session,
  mark: Watermark,
  fromMs: number,
  policy: EventPolicy,
): Promise<Recomputed> {
  const where = `requested_at >= ${at(fromMs)} AND requested_at < ${at(fromMs + DAY_MS)} AND ${isCounted(mark)}`;
  const [day] = await tx.execute<{ there: number; counted: number }>(
    sql.raw(`
    SELECT (SELECT count(*) FROM api_usage WHERE ${where} AND ${isGood(null)})::float8 AS there,
      coalesce((SELECT requests FROM vitals.usage_bucket
        WHERE period = 'day' AND period_start = ${at(fromMs)} AND kind = 'all' AND key = ''), 0)::float8 AS counted`),
  );
  if (!day || day.there < day.counted) return { changed: 0, incomplete: true };
  await runAll(tx, [
    ...foldCalls({ where, lateBeforeMs: null, recent: false }),
    `DELETE FROM u_delta WHERE period IN ('week', 'month')`,
    findUncovered(at(fromMs)),
    ...recountCalls(at(fromMs)),
  ]);
  const [counters] = await tx.execute<{ changed: number }>(
    sql`SELECT count(*)::int AS changed FROM u_change`,
  );
  let changed = counters?.changed ?? 0;
  changed += await countChanged(
    tx,
    deleteBuckets(`b.period_start >= ${at(fromMs)} AND b.period_start < ${at(fromMs + DAY_MS)}
      AND (b.period = 'day' OR (b.period = 'hour' AND b.kind IN (${MAIN})))
      AND NOT EXISTS (SELECT 1 FROM u_delta d WHERE d.period = b.period AND d.start = b.period_start
        AND d.kind = b.kind AND d.key = b.key)`),
  );
  changed += await countChanged(tx, replaceWith('u_delta'));
  for (const period of ['week', 'month'] as const) {
    await runAll(tx, widen(period, fromMs));
    changed += await countChanged(
      tx,
      deleteBuckets(`b.period = '${period}' AND b.period_start = ${startOf[period](at(fromMs))}
        AND NOT EXISTS (SELECT 1 FROM u_wide d WHERE d.kind = b.kind AND d.key = b.key)`),
    );
    changed += await countChanged(tx, replaceWith('u_wide'));
    await runAll(tx, [`INSERT INTO u_delta SELECT * FROM u_wide`]);
  }
  if (changed > 0)
    await runAll(tx, [
      ...countTenants(),
      clearTenants(startOf.month(at(fromMs))),
      ...reportUsage(policy),
      forgetEvents(at(fromMs)),
    ]);
  return { changed, incomplete: false };
}

class DryRun extends Error {
  constructor(readonly result: Recomputed) {
    super('nothing is to be changed');
  }
}

/**
 * Recomputes one UTC day from the calls that are there, in one transaction; null while a replica is rolling up.
 * With `dryRun` it is undone, and says what would have changed.
 */
export async function recomputeUsageDay(
  db: Database,
  { fromMs, policy, dryRun }: { fromMs: number; policy: EventPolicy; dryRun: boolean },
): Promise<Recomputed | null> {
  try {
    return await db.transaction(async (tx) => {
      await prepareSession(tx);
      const mark = await takeWatermark(tx, USAGE_ROLLUP);
      if (!mark) return null;
      const result = await recomputeDay(tx, mark, fromMs, policy);
      if (dryRun) throw new DryRun(result);
      return result;
    });
  } catch (error) {
    if (error instanceof DryRun) return error.result;
    throw error;
  }
}
