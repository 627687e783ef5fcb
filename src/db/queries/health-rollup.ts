import { type SQL, sql } from 'drizzle-orm';
import { fold, keyOf, minutesOf, type ServerBucket } from '../../core/history/fold-checks.ts';
import { mergeBuckets } from '../../core/history/health-bucket.ts';
import { type Check, type CheckRow, judgeCheck } from '../../core/history/judge-check.ts';
import { GRAIN_MS, keepOf, TIERS, type TierKeep } from '../../core/history/tiers.ts';
import { VERDICTS } from '../../core/reasons.ts';
import { DEFAULT_SETTINGS } from '../../core/settings/known-settings.ts';
import type { Database } from '../client.ts';
import { ARRIVAL_COLUMN, HEALTH_SOURCE, indexArrivals } from '../rollup/arrivals.ts';
import {
  isNew,
  moveBackfill,
  moveWatermark,
  restartWatermark,
  takeWatermark,
  type Watermark,
} from '../rollup/watermark.ts';
import { CLOCK_LEEWAY_MS, SHORT_TRANSACTION_SELECT } from './fragments.ts';
import { HISTORY_REASON, HISTORY_VERDICT } from './history-verdict.ts';
import { addCounts, noneSetAside, reportSetAside, type SetAsideCounts } from './set-aside.ts';
import { readBuckets, TIER_TABLE, writeBuckets, writeShiftPoints } from './tier-rows.ts';

type Tx = Pick<Database, 'execute'>;

export const HEALTH_ROLLUP = 'health';

export interface HealthRollupOptions {
  /** How long each tier keeps its buckets: what is older by then is not put into it. */
  keepMs?: TierKeep;
  /** How long every row is there, in milliseconds; some are longer. */
  rowsKeptMs?: number;
  /** A run takes about so many rows, and whole transactions of whoever wrote them. */
  maxRows?: number;
  /** So many rows are worked on at a time, so that neither memory nor a turn of the loop is long. */
  pageRows?: number;
}

/** What a run did. */
export interface HealthRollup {
  rows: number;
  setAside: SetAsideCounts;
  /** There is more that it could take at once. */
  more: boolean;
}

const DEFAULT_KEEP = keepOf(DEFAULT_SETTINGS);
/** Rows are read and written by pages: a turn of the event loop stays short. */
const PAGE_ROWS = 500;
const MAX_ROWS = 20_000;

/**
 * Takes the health checks that arrived since the last run into the tiers, and a part of those that were there
 * before arrivals were noted: in one transaction with the watermark, so that each is counted once, whenever the
 * run is cut off. Rows that arrive late amend the buckets that they belong to. null: another replica is at it.
 */
export async function rollUpHealth(
  db: Database,
  {
    keepMs = DEFAULT_KEEP.keepMs,
    rowsKeptMs = DEFAULT_KEEP.rowsKeptMs,
    maxRows = MAX_ROWS,
    pageRows = PAGE_ROWS,
  }: HealthRollupOptions = {},
): Promise<HealthRollup | null> {
  const result = await db.transaction(async (tx) => {
    await tx.execute(SHORT_TRANSACTION_SELECT);
    const mark = await takeWatermark(tx, HEALTH_ROLLUP);
    if (!mark) return null;
    if (mark.moved) {
      await beginAnew(tx, rowsKeptMs);
      return 'moved';
    }
    const part = await limitWatermark(tx, mark, maxRows);
    const fresh = await takeRows(tx, isNew(part), { keepMs, pageRows });
    await moveWatermark(tx, part);
    const old = mark.backfillDone ? null : await takeOldRows(tx, mark, { keepMs, pageRows, maxRows });
    return {
      rows: fresh.rows + (old?.rows ?? 0),
      setAside: addCounts(fresh.setAside, old?.setAside ?? noneSetAside()),
      more: part.horizonXid < mark.horizonXid || old?.more === true,
    };
  });
  if (result !== 'moved') return result;
  await indexArrivals(db, HEALTH_SOURCE);
  return { rows: 0, setAside: noneSetAside(), more: true };
}

const CHECKS = sql.raw(VERDICTS.map((verdict) => `b.${verdict}`).join(' + '));

/**
 * In another cluster every row that is there is of the backfill. The days of which all rows are still there, as
 * they should be and as many as were counted, are made of them anew, and the packed points of their shifts with
 * them; older ones stay as they are.
 */
async function beginAnew(tx: Tx, rowsKeptMs: number): Promise<void> {
  const [row] = await tx.execute<{ fromMs: number }>(sql`
    SELECT extract(epoch FROM greatest(k.since, (
      SELECT max(d.at) + interval '1 day' FROM (
        SELECT b.at, sum(${CHECKS}) AS counted FROM vitals.health_day b WHERE b.at >= k.since GROUP BY 1) d
      WHERE d.counted > (SELECT count(*) FROM mcp_server_health_check h
        WHERE h.checked_at >= d.at AND h.checked_at < d.at + interval '1 day'))))::float8 * 1000 AS "fromMs"
    FROM (SELECT date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 day'
      - ${rowsKeptMs}::float8 * interval '1 millisecond' AS since) k`);
  if (!row) throw new Error('the database has no clock');
  await restartWatermark(tx, HEALTH_ROLLUP, HEALTH_SOURCE);
  for (const tier of TIERS)
    await tx.execute(
      sql`DELETE FROM ${TIER_TABLE[tier]} WHERE at >= to_timestamp(${row.fromMs}::float8 / 1000)`,
    );
  await moveBackfill(tx, HEALTH_ROLLUP, row.fromMs);
}

/** Rows without a transaction, the oldest first, about `maxRows` of them. */
async function takeOldRows(
  tx: Tx,
  mark: Watermark,
  { maxRows, ...options }: { keepMs: TierKeep; pageRows: number; maxRows: number },
): Promise<{ rows: number; setAside: SetAsideCounts; more: boolean }> {
  const from =
    mark.backfilledToMs === null
      ? sql`true`
      : sql`h.checked_at >= to_timestamp(${mark.backfilledToMs}::float8 / 1000)`;
  const old = sql`h.${sql.identifier(ARRIVAL_COLUMN)} IS NULL AND ${from}`;
  const [row] = await tx.execute<{ rows: number; lastMs: number | null }>(sql`
    SELECT count(*)::int AS rows, extract(epoch FROM max(checked_at))::float8 * 1000 AS "lastMs" FROM (
      SELECT h.checked_at FROM mcp_server_health_check h WHERE ${old} ORDER BY h.checked_at LIMIT ${maxRows}
    ) first`);
  const { rows = 0, lastMs = null } = row ?? {};
  const more = rows === maxRows && lastMs !== null && Number.isFinite(lastMs);
  // To a whole millisecond behind the last one, with all that share it.
  const toMs = more ? Math.floor(lastMs) + 1 : null;
  const until = toMs === null ? sql`true` : sql`h.checked_at < to_timestamp(${toMs}::float8 / 1000)`;
  const taken =
    rows === 0 ? { rows, setAside: noneSetAside() } : await takeRows(tx, sql`${old} AND ${until}`, options);
  await moveBackfill(tx, HEALTH_ROLLUP, toMs);
  return { ...taken, more };
}

/** As far as about `maxRows` rows go; never into the middle of a transaction, whose rows all have its id. */
async function limitWatermark(tx: Tx, mark: Watermark, maxRows: number): Promise<Watermark> {
  const xid = sql.identifier(ARRIVAL_COLUMN);
  const [row] = await tx.execute<{ rows: number; last: number | null }>(sql`
    SELECT count(*)::int AS rows, max(xid)::float8 AS last FROM (
      SELECT ${xid} AS xid FROM mcp_server_health_check WHERE ${isNew(mark)} ORDER BY 1 LIMIT ${maxRows}
    ) first`);
  if (!row || row.last === null || row.rows < maxRows) return mark;
  return { ...mark, horizonXid: Math.min(mark.horizonXid, row.last + 1) };
}

/** Takes every row of a condition into the tiers. */
export async function takeRows(
  tx: Tx,
  which: SQL,
  { keepMs, pageRows }: { keepMs: TierKeep; pageRows: number },
): Promise<{ rows: number; setAside: SetAsideCounts }> {
  const [clock] = await tx.execute<{ nowMs: number }>(
    sql`SELECT extract(epoch FROM now())::float8 * 1000 AS "nowMs"`,
  );
  const nowMs = clock?.nowMs ?? 0;
  const bounds = { oldestMs: nowMs - keepMs.day, latestMs: nowMs + CLOCK_LEEWAY_MS };
  const setAside = noneSetAside();
  let rows = 0;
  // All rows are read: the first ones need not come sooner, by reading everything there is.
  await tx.execute(sql`SELECT set_config('cursor_tuple_fraction', '1', true)`);
  await tx.execute(sql`DECLARE checks NO SCROLL CURSOR FOR
    SELECT h.server_id AS "serverId", extract(epoch FROM h.checked_at)::float8 * 1000 AS "atMs", h.status,
      h.response_time AS "responseMs", ${HISTORY_VERDICT} AS verdict, ${HISTORY_REASON} AS reason
    FROM mcp_server_health_check h WHERE ${which}`);
  for (;;) {
    const page = await tx.execute<CheckRow & Record<string, unknown>>(
      sql`FETCH ${sql.raw(String(pageRows))} FROM checks`,
    );
    rows += page.length;
    const checks: Check[] = [];
    for (const row of page) {
      const judged = judgeCheck(row, bounds);
      if (judged.check) checks.push(judged.check);
      else setAside[judged.setAside] += 1;
    }
    await addChecks(tx, checks, nowMs, keepMs);
    if (page.length < pageRows) break;
  }
  await tx.execute(sql`CLOSE checks`);
  await reportSetAside(tx, setAside);
  return { rows, setAside };
}

async function addChecks(tx: Tx, checks: readonly Check[], nowMs: number, keepMs: TierKeep): Promise<void> {
  let parts = await ofRegistered(tx, minutesOf(checks));
  for (const tier of TIERS) {
    parts = fold(parts, GRAIN_MS[tier]);
    const kept = parts.filter(({ atMs }) => atMs >= nowMs - keepMs[tier]);
    if (kept.length === 0) continue;
    const stored = new Map((await readBuckets(tx, tier, kept)).map((row) => [keyOf(row), row]));
    const whole = kept.map(({ serverId, atMs, bucket }): ServerBucket => {
      const before = stored.get(keyOf({ serverId, atMs }));
      return { serverId, atMs, bucket: before ? mergeBuckets(before.bucket, bucket) : bucket };
    });
    await writeBuckets(tx, tier, whole);
    if (tier === 'shift') await writeShiftPoints(tx, whole);
  }
}

/** Without those of servers that were removed since; the others stay until the end of the transaction. */
async function ofRegistered(tx: Tx, buckets: readonly ServerBucket[]): Promise<ServerBucket[]> {
  const ids = JSON.stringify([...new Set(buckets.map(({ serverId }) => serverId))]);
  const rows = await tx.execute<{ id: string }>(sql`
    SELECT id FROM mcp_server WHERE id IN (SELECT jsonb_array_elements_text(${ids}::jsonb))
    ORDER BY id FOR KEY SHARE`);
  const known = new Set(rows.map(({ id }) => id));
  return buckets.filter(({ serverId }) => known.has(serverId));
}
