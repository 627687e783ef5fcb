import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { ARRIVAL_COLUMN, forgetArrivals, type RollupSource } from './arrivals.ts';

type Session = Pick<Database, 'execute'>;

/** How far a rollup has come, and how far it may go now. */
export interface Watermark {
  rollup: string;
  /** Rows of transactions below it were taken, and none of those from it on. */
  nextXid: number;
  /** Every transaction below it has ended: its rows can be seen, and there will be no more of them. */
  horizonXid: number;
  /** What arrived before it was taken, in milliseconds; null before the second run. */
  takenAtMs: number | null;
  /** Rows without a transaction id and older than this were taken; null: none. */
  backfilledToMs: number | null;
  backfillDone: boolean;
  /** The backfill is to recompute days instead of adding to them. */
  backfillRebuilds: boolean;
  /** The database is in another cluster than the one whose transaction ids it holds. */
  moved: boolean;
}

const WATERMARK = sql`w.rollup, w.next_xid::float8 AS "nextXid",
  pg_snapshot_xmin(pg_current_snapshot())::text::float8 AS "horizonXid",
  (extract(epoch FROM w.taken_at) * 1000)::float8 AS "takenAtMs",
  (extract(epoch FROM w.backfilled_to) * 1000)::float8 AS "backfilledToMs",
  w.backfill_done AS "backfillDone", w.backfill_rebuilds AS "backfillRebuilds",
  w.system_identifier <> (SELECT system_identifier::text FROM pg_control_system()) AS moved`;

type Row = Watermark & Record<string, unknown>;

/** How far a rollup has come; null before its first run. For those that delete what was taken, and for gauges. */
export async function readWatermark(db: Session, rollup: string): Promise<Watermark | null> {
  const [row] = await db.execute<Row>(
    sql`SELECT ${WATERMARK} FROM vitals.rollup_watermark w WHERE w.rollup = ${rollup}`,
  );
  return row ?? null;
}

const lockOf = (rollup: string): SQL => sql`hashtextextended(${`mcp-vitals rollup ${rollup}`}, 0)`;

/**
 * Takes a rollup's watermark for the rest of the transaction (READ COMMITTED: what is read next must be as
 * new as the watermark); null when another replica has it. A rollup that never ran begins at 0.
 */
export async function takeWatermark(tx: Session, rollup: string): Promise<Watermark | null> {
  const [lock] = await tx.execute<{ taken: boolean }>(
    sql`SELECT pg_try_advisory_xact_lock(${lockOf(rollup)}) AS taken`,
  );
  return lock?.taken ? lockRow(tx, rollup) : null;
}

/** Takes it as soon as whoever has it lets it go. */
export async function awaitWatermark(tx: Session, rollup: string): Promise<Watermark | null> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${lockOf(rollup)})`);
  return lockRow(tx, rollup);
}

async function lockRow(tx: Session, rollup: string): Promise<Watermark | null> {
  await tx.execute(sql`
    INSERT INTO vitals.rollup_watermark (rollup, system_identifier)
    SELECT ${rollup}, system_identifier::text FROM pg_control_system() ON CONFLICT DO NOTHING`);
  const [row] = await tx.execute<Row>(
    sql`SELECT ${WATERMARK} FROM vitals.rollup_watermark w WHERE w.rollup = ${rollup} FOR UPDATE OF w`,
  );
  return row ?? null;
}

/** The rows that arrived since the last run, whatever the order in which their transactions ended. */
export const isNew = ({ nextXid, horizonXid }: Pick<Watermark, 'nextXid' | 'horizonXid'>): SQL =>
  sql`${sql.identifier(ARRIVAL_COLUMN)} >= ${nextXid}::bigint AND ${sql.identifier(ARRIVAL_COLUMN)} < ${horizonXid}::bigint`;

/** The rows that were taken, or are to be by the backfill: what a period is recomputed from. */
export const isTaken = ({ nextXid }: Pick<Watermark, 'nextXid'>): SQL =>
  sql`(${sql.identifier(ARRIVAL_COLUMN)} IS NULL OR ${sql.identifier(ARRIVAL_COLUMN)} < ${nextXid}::bigint)`;

/** The new rows are taken: to be called in the transaction that stores what was made of them. */
export async function moveWatermark(tx: Session, mark: Watermark): Promise<void> {
  await tx.execute(sql`
    UPDATE vitals.rollup_watermark SET next_xid = ${mark.horizonXid}::bigint,
      taken_at = CASE WHEN seen_xid <= ${mark.horizonXid}::bigint THEN seen_at ELSE taken_at END,
      seen_xid = CASE WHEN seen_xid > ${mark.horizonXid}::bigint THEN seen_xid
        ELSE pg_snapshot_xmax(pg_current_snapshot())::text::bigint END,
      seen_at = CASE WHEN seen_xid > ${mark.horizonXid}::bigint THEN seen_at ELSE now() END
    WHERE rollup = ${mark.rollup}`);
}

/** The rows of the backfill that are older than this are taken; null: all of them, and no more will come. */
export async function moveBackfill(tx: Session, rollup: string, toMs: number | null): Promise<void> {
  await tx.execute(sql`
    UPDATE vitals.rollup_watermark SET
      backfilled_to = coalesce(to_timestamp(${toMs}::float8 / 1000), backfilled_to),
      backfill_done = ${toMs === null}
    WHERE rollup = ${rollup}`);
}

/**
 * Begins anew in a cluster that counts its transactions otherwise (a dump that was restored elsewhere):
 * every row that is there belongs to the backfill now, which recomputes what the rows cover. The caller has
 * taken the watermark; afterwards `indexArrivals` makes the index again.
 */
export async function restartWatermark(tx: Session, rollup: string, source: RollupSource): Promise<void> {
  await forgetArrivals(tx, source);
  await tx.execute(sql`
    UPDATE vitals.rollup_watermark SET next_xid = 0, backfilled_to = NULL, backfill_done = false,
      backfill_rebuilds = true,
      system_identifier = (SELECT system_identifier::text FROM pg_control_system())
    WHERE rollup = ${rollup}`);
}
