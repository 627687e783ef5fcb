import { sql } from 'drizzle-orm';
import { chooseStep, type HistoryRange, type HistoryStep } from '../../core/history/choose-step.ts';
import { fold, type parsePacked, type ServerBucket } from '../../core/history/fold-checks.ts';
import { type HistoryPoint, pointOf, unpackPoint } from '../../core/history/history-point.ts';
import { GRAIN_MS, WEEK_MS } from '../../core/history/tiers.ts';
import type { Database } from '../client.ts';
import { BUCKET_COLUMNS, type BucketRow, bucketOfRow, readTierSince, TIER_TABLE } from './tier-rows.ts';

type Session = Pick<Database, 'execute'>;

export interface ServerHistory {
  serverId: string;
  /** In order; times without a check have none. At most as many as were asked for. */
  points: HistoryPoint[];
}

export interface HealthHistory extends HistoryStep {
  servers: ServerHistory[];
}

/**
 * The history of servers over a range, in at most `maxPoints` points each: one query, whose cost follows the
 * points and not the checks. Points are whole: the first may begin before the range, the last end after it.
 * It is as new as the last run of the rollup.
 */
export async function readHealthHistory(
  db: Session,
  serverIds: readonly string[],
  range: Omit<HistoryRange, 'servers'>,
): Promise<HealthHistory> {
  const step = chooseStep({ ...range, servers: serverIds.length }, await readTierSince(db));
  const points =
    step.tier === 'shift' ? await readShifts(db, serverIds, step) : await readPoints(db, serverIds, step);
  return {
    ...step,
    servers: serverIds.map((serverId) => ({ serverId, points: points.get(serverId) ?? [] })),
  };
}

type PointsByServer = Map<string, HistoryPoint[]>;

/** The points of shifts are packed in the rows of their weeks. */
async function readShifts(
  db: Session,
  serverIds: readonly string[],
  { fromMs, toMs }: HistoryStep,
): Promise<PointsByServer> {
  const rows = await db.execute<{ serverId: string; weeks: string | null }>(sql`
    SELECT i.id AS "serverId", w.weeks
    FROM jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb) AS i(id)
    CROSS JOIN LATERAL (
      SELECT string_agg('[' || extract(epoch FROM w.at)::bigint || ',' || w.points || ']', ',' ORDER BY w.at) AS weeks
      FROM vitals.health_shift_week w
      WHERE w.server_id = i.id AND w.at > to_timestamp(${fromMs - WEEK_MS}::float8 / 1000)
        AND w.at < to_timestamp(${toMs}::float8 / 1000)
    ) w`);
  const points: PointsByServer = new Map();
  for (const { serverId, weeks } of rows) {
    const own: HistoryPoint[] = [];
    for (const [seconds, shifts] of parseWeeks(weeks)) {
      for (const packed of shifts) {
        const atMs = seconds * 1000 + packed[0] * GRAIN_MS.shift;
        if (atMs >= fromMs && atMs < toMs) own.push(unpackPoint(atMs, packed));
      }
    }
    points.set(serverId, own);
  }
  return points;
}

type PackedWeek = [atSeconds: number, shifts: ReturnType<typeof parsePacked>];
const parseWeeks = (weeks: string | null): PackedWeek[] =>
  weeks === null ? [] : (JSON.parse(`[${weeks}]`) as PackedWeek[]);

async function readPoints(
  db: Session,
  serverIds: readonly string[],
  { tier, stepMs, fromMs, toMs }: HistoryStep,
): Promise<PointsByServer> {
  const rows = await db.execute<BucketRow & { serverId: string; atMs: number } & Record<string, unknown>>(sql`
    SELECT b.server_id AS "serverId", extract(epoch FROM b.at)::float8 * 1000 AS "atMs", ${BUCKET_COLUMNS}
    FROM jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb) AS i(id)
    CROSS JOIN LATERAL (
      SELECT * FROM ${TIER_TABLE[tier]} b
      WHERE b.server_id = i.id AND b.at >= to_timestamp(${fromMs}::float8 / 1000)
        AND b.at < to_timestamp(${toMs}::float8 / 1000)
      ORDER BY b.at
    ) b`);
  const buckets = rows.map(
    (row): ServerBucket => ({ serverId: row.serverId, atMs: row.atMs, bucket: bucketOfRow(row) }),
  );
  const points: PointsByServer = new Map();
  for (const { serverId, atMs, bucket } of fold(buckets, stepMs)) {
    const own = points.get(serverId) ?? [];
    own.push(pointOf(atMs, bucket));
    points.set(serverId, own);
  }
  return points;
}
