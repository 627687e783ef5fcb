import { type Every, type Period, periodOf, periodsAhead } from '../../core/storage/periods.ts';
import type { Session } from '../migrations/bookkeeping.ts';
import { inShortTransaction } from '../migrations/in-short-transaction.ts';
import { rangeCheckName, tableIn } from './build-swap.ts';
import { readRangeCheck } from './convert-table.ts';
import { makePartition, SWAP_LOCKS } from './make-partition.ts';
import { AHEAD, PARTITION_SCHEMA } from './partitioned-tables.ts';
import { quoteName, quoteTime } from './quote.ts';
import { defaultName, type PartitionState, readPartitions } from './read-partitions.ts';

/** Rows that came late get a partition of their time, so far back; older ones wait in the default one for the retention. */
const BACK: Readonly<Record<Every, number>> = { week: 53, month: 37 };
/** Rows of the default partition that are counted; there should be none. */
const COUNT_AT_MOST = 100_000;
/** A check of a conversion that was given up goes before it refuses what is written. */
const CHECK_ROOM_MS = 3 * 86_400_000;

export interface KeptTable {
  table: string;
  made: string[];
  /** Rows that were moved from the default partition to those of their time. */
  moved: number;
  partitions: number;
  /** Rows that are left in the default partition: of the future, or of long ago. */
  defaultRows: number;
}

/** Has each of our partitioned tables have the partitions that it needs now and soon; the caller holds the storage lock. */
export async function keepPartitions(session: Session, nowMs: number): Promise<KeptTable[]> {
  const kept: KeptTable[] = [];
  for (const state of await readPartitions(session)) {
    if (state.kind === 'plain') await dropLeftCheck(session, state, nowMs);
    if (state.kind === 'ours') kept.push(await keepTable(session, state, nowMs));
  }
  await dropDetached(session);
  return kept;
}

async function keepTable(session: Session, state: PartitionState, nowMs: number): Promise<KeptTable> {
  const { table, every } = state;
  const wanted = new Map<number, Period>();
  for (const period of periodsAhead(every, nowMs, AHEAD[every])) wanted.set(period.fromMs, period);
  for (const period of await findStrayed(session, state, nowMs)) wanted.set(period.fromMs, period);
  const made: string[] = [];
  let moved = 0;
  for (const period of [...wanted.values()].sort((a, b) => a.fromMs - b.fromMs)) {
    if (state.partitions.some((partition) => overlaps(partition, period))) continue;
    const result = await makePartition(session, state, period);
    made.push(result.name);
    moved += result.moved;
  }
  return {
    table,
    made,
    moved,
    partitions: state.partitions.length - 1 + made.length,
    defaultRows: await countDefault(session, table),
  };
}

function overlaps(
  { fromMs, toMs, isDefault }: PartitionState['partitions'][number],
  period: Period,
): boolean {
  if (isDefault) return false;
  return (fromMs ?? -Infinity) < period.toMs && (toMs ?? Infinity) > period.fromMs;
}

/** The periods of the rows that the default partition has taken, within what partitions are made for. */
async function findStrayed(
  session: Session,
  { table, time, every }: PartitionState,
  nowMs: number,
): Promise<Period[]> {
  const days = every === 'week' ? 7 : 31;
  const from = periodOf(every, nowMs - BACK[every] * days * 86_400_000).fromMs;
  const to = periodsAhead(every, nowMs, AHEAD[every]).at(-1)?.toMs ?? nowMs;
  const rows = await session.unsafe<{ fromMs: number }[]>(
    `SELECT DISTINCT (extract(epoch FROM date_trunc('${every}', ${quoteName(time)} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') * 1000)::float8 AS "fromMs"
       FROM ${tableIn(PARTITION_SCHEMA, defaultName(table))}
      WHERE ${quoteName(time)} >= ${quoteTime(from)} AND ${quoteName(time)} < ${quoteTime(to)}`,
  );
  return rows.map(({ fromMs }) => periodOf(every, fromMs));
}

async function countDefault(session: Session, table: string): Promise<number> {
  const [row] = await session.unsafe<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM (SELECT 1 FROM ${tableIn(PARTITION_SCHEMA, defaultName(table))} LIMIT ${COUNT_AT_MOST}) counted`,
  );
  return row?.count ?? 0;
}

async function dropLeftCheck(session: Session, { table }: PartitionState, nowMs: number): Promise<void> {
  const check = await readRangeCheck(session, table);
  if (!check || check.untilMs - nowMs > CHECK_ROOM_MS) return;
  await inShortTransaction(session, { what: `the check of ${table}`, ...SWAP_LOCKS }, () =>
    session.unsafe(
      `ALTER TABLE ${tableIn('public', table)} DROP CONSTRAINT IF EXISTS ${quoteName(rangeCheckName(table))}`,
    ),
  );
}

/** The comment of a partition that retention has taken out of its table, and that is to be dropped. */
export const DETACHED = 'mcp-vitals: to be dropped';

/** A partition is taken out in a moment and dropped afterwards, which takes its time: here is what an interrupted run left. */
async function dropDetached(session: Session): Promise<void> {
  const left = await session<{ name: string }[]>`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ${PARTITION_SCHEMA} AND c.relkind = 'r' AND NOT c.relispartition
       AND obj_description(c.oid, 'pg_class') = ${DETACHED}`;
  for (const { name } of left) await dropPartitionTable(session, name);
}

/** Drops a table of ours that is no partition any more. */
export async function dropPartitionTable(session: Session, name: string): Promise<void> {
  // Its foreign keys hold locks on the tables that they point to while it is dropped: short ones.
  await inShortTransaction(session, { what: `the table ${name}`, ...SWAP_LOCKS }, () =>
    session.unsafe(`DROP TABLE IF EXISTS ${tableIn(PARTITION_SCHEMA, name)}`),
  );
}
