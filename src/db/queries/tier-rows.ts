import { type SQL, sql } from 'drizzle-orm';
import { keyOf, repackShifts, type ServerBucket } from '../../core/history/fold-checks.ts';
import type { HealthBucket } from '../../core/history/health-bucket.ts';
import { countChecks, percentilesOf } from '../../core/history/health-bucket.ts';
import { floorTo, TIERS, type Tier, type TierSince, WEEK_MS, wholeSince } from '../../core/history/tiers.ts';
import { type ReasonCounts, worstOf } from '../../core/history/worst-reason.ts';
import { VERDICTS, type Verdict } from '../../core/reasons.ts';
import type { Database } from '../client.ts';

type Session = Pick<Database, 'execute'>;

/** The table of each tier. */
export const TIER_TABLE: Readonly<Record<Tier, SQL>> = {
  minute: sql.raw('vitals.health_minute'),
  hour: sql.raw('vitals.health_hour'),
  shift: sql.raw('vitals.health_shift'),
  day: sql.raw('vitals.health_day'),
};

/** What a bucket is stored as, without its time; `b` is the table. */
export const BUCKET_COLUMNS = sql.raw(
  [
    ...VERDICTS.map((verdict) => `b.${verdict}`),
    'b.responses',
    'b.response_ms_sum::float8 AS "responseMsSum"',
    'b.latency::float8[] AS latency',
    'b.reasons',
  ].join(', '),
);

export interface BucketRow extends Record<Verdict, number> {
  responses: number;
  responseMsSum: number;
  latency: number[];
  reasons: ReasonCounts | null;
}

export function bucketOfRow(row: BucketRow): HealthBucket {
  const verdicts: HealthBucket['verdicts'] = {};
  for (const verdict of VERDICTS) if (row[verdict] > 0) verdicts[verdict] = row[verdict];
  const { responses, responseMsSum, latency, reasons } = row;
  return { verdicts, reasons: reasons ?? {}, responses, responseMsSum, latency };
}

/** Those of these buckets that are stored. */
export async function readBuckets(
  db: Session,
  tier: Tier,
  wanted: readonly { serverId: string; atMs: number }[],
): Promise<ServerBucket[]> {
  const keys = JSON.stringify(wanted.map(({ serverId, atMs }) => ({ serverId, atMs })));
  const rows = await db.execute<BucketRow & { serverId: string; atMs: number } & Record<string, unknown>>(sql`
    SELECT k."serverId", k."atMs", ${BUCKET_COLUMNS}
    FROM json_to_recordset(${keys}::json) AS k("serverId" text, "atMs" float8)
    JOIN ${TIER_TABLE[tier]} b ON b.server_id = k."serverId" AND b.at = to_timestamp(k."atMs" / 1000)`);
  return rows.map((row) => ({
    serverId: row.serverId,
    atMs: row.atMs,
    bucket: bucketOfRow(row),
  }));
}

const COUNTS = [...VERDICTS, 'healthy', 'counted'];
const STORED = [
  ...COUNTS,
  'responses',
  'response_ms_sum',
  'p50_ms',
  'p95_ms',
  'p99_ms',
  'latency',
  'reasons',
];

/** Stores whole buckets in the place of those that are there. */
export async function writeBuckets(db: Session, tier: Tier, buckets: readonly ServerBucket[]): Promise<void> {
  if (buckets.length === 0) return;
  const rows = JSON.stringify(buckets.map(rowOf));
  const columns = [...STORED, 'worst_reason'];
  await db.execute(sql`
    INSERT INTO ${TIER_TABLE[tier]} (server_id, at, ${sql.raw(columns.join(', '))})
    SELECT server_id, to_timestamp(at_ms / 1000), ${sql.raw(columns.join(', '))}
    FROM json_to_recordset(${rows}::json) AS r(server_id text, at_ms float8,
      ${sql.raw(COUNTS.map((name) => `${name} integer`).join(', '))}, responses integer, response_ms_sum bigint,
      p50_ms real, p95_ms real, p99_ms real, latency bigint[], reasons jsonb, worst_reason text)
    ON CONFLICT (server_id, at) DO UPDATE SET
      ${sql.raw(columns.map((name) => `${name} = excluded.${name}`).join(', '))}`);
}

function rowOf({ serverId, atMs, bucket }: ServerBucket) {
  const { verdicts, reasons, responses, responseMsSum, latency } = bucket;
  const { p50Ms, p95Ms, p99Ms } = percentilesOf(latency);
  const { up, counted } = countChecks(verdicts);
  return {
    server_id: serverId,
    at_ms: atMs,
    ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, verdicts[verdict] ?? 0])),
    healthy: up,
    counted,
    responses,
    response_ms_sum: responseMsSum,
    p50_ms: p50Ms,
    p95_ms: p95Ms,
    p99_ms: p99Ms,
    latency,
    // A JSON null would be one in the column, too, and no NULL.
    ...(Object.keys(reasons).length > 0 ? { reasons } : {}),
    worst_reason: worstOf(verdicts, reasons)?.reason ?? null,
  };
}

/** Puts finished points of shifts into the rows of their weeks. */
export async function writeShiftPoints(db: Session, shifts: readonly ServerBucket[]): Promise<void> {
  const weeks = new Map<string, { serverId: string; atMs: number; shifts: ServerBucket[] }>();
  for (const shift of shifts) {
    const place = { serverId: shift.serverId, atMs: floorTo(shift.atMs, WEEK_MS) };
    const week = weeks.get(keyOf(place)) ?? { ...place, shifts: [] };
    week.shifts.push(shift);
    weeks.set(keyOf(place), week);
  }
  const keys = JSON.stringify([...weeks.values()].map(({ serverId, atMs }) => ({ serverId, atMs })));
  const rows = await db.execute<{ serverId: string; atMs: number; points: string }>(sql`
    SELECT k."serverId", k."atMs", w.points
    FROM json_to_recordset(${keys}::json) AS k("serverId" text, "atMs" float8)
    JOIN vitals.health_shift_week w ON w.server_id = k."serverId" AND w.at = to_timestamp(k."atMs" / 1000)`);
  const before = new Map(rows.map((row) => [keyOf(row), row.points]));
  const packed = [...weeks].map(([key, { serverId, atMs, shifts: changed }]) => ({
    serverId,
    atMs,
    points: repackShifts(before.get(key) ?? '', changed),
  }));
  await db.execute(sql`
    INSERT INTO vitals.health_shift_week (server_id, at, points)
    SELECT "serverId", to_timestamp("atMs" / 1000), points
    FROM json_to_recordset(${JSON.stringify(packed)}::json) AS r("serverId" text, "atMs" float8, points text)
    ON CONFLICT (server_id, at) DO UPDATE SET points = excluded.points`);
}

/** Since when each tier is whole. */
export async function readTierSince(db: Session): Promise<TierSince> {
  const [row] = await db.execute<Record<Tier, number | null>>(sql`
    SELECT ${sql.join(
      TIERS.map(
        (tier) =>
          sql`(SELECT extract(epoch FROM min(at))::float8 * 1000 FROM ${TIER_TABLE[tier]}) AS ${sql.identifier(tier)}`,
      ),
      sql`, `,
    )}`);
  if (!row) throw new Error('the tiers could not be read');
  return wholeSince(row);
}
