import { PartitioningRefusedError } from '../errors.ts';
import type { Session } from '../migrations/bookkeeping.ts';
import { inShortTransaction } from '../migrations/in-short-transaction.ts';
import {
  buildLocks,
  buildSwap,
  chooseUntil,
  keyIndexName,
  rangeCheckName,
  type SwapHow,
  tableIn,
} from './build-swap.ts';
import { SWAP_LOCKS } from './make-partition.ts';
import { PARTITION_SCHEMA, type PartitionedTable } from './partitioned-tables.ts';
import { quoteName, quoteTime } from './quote.ts';
import { type LiveTable, readLiveTable } from './read-live-table.ts';
import { readPartitions } from './read-partitions.ts';
import { reasonsToRefuse } from './refuse.ts';

/** So many rows are copied in a moment; a larger table is attached as it is. */
const COPY_AT_MOST = 5_000;
/** A check that is left of an interrupted run and ends sooner than this is made anew. */
const CHECK_ROOM_MS = 3 * 86_400_000;

export interface ConvertOptions {
  nowMs: number;
  /** Told each statement as it is about to run; with `dryRun`, as it would run. */
  onStatement?: (statement: string) => void | Promise<void>;
  /** Changes nothing. */
  dryRun?: boolean;
}

export type Conversion = {
  table: string;
  result: 'converted' | 'planned' | 'already' | 'foreign' | 'missing';
};

/**
 * Turns a live table into a partitioned one. What takes its time (an index, the reading of all rows) keeps
 * nobody from writing; then one short transaction swaps the tables. It can be ended at any point and begun
 * again: what is there already is not made twice. PartitioningRefusedError where something would be lost.
 */
export async function convertTable(
  session: Session,
  spec: PartitionedTable,
  options: ConvertOptions,
): Promise<Conversion> {
  const { table } = spec;
  const [state] = await readPartitions(session, [spec]);
  if (state?.kind === 'ours') return { table, result: 'already' };
  if (state?.kind !== 'plain') return { table, result: state?.kind === 'foreign' ? 'foreign' : 'missing' };
  const live = await readAccepted(session, spec);
  const run = createRun(session, options);
  await run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(PARTITION_SCHEMA)}`);
  if (await hasFewRows(session, table)) {
    if (await swap(session, spec, live, { how: 'copy', nowMs: options.nowMs }, options))
      return done(table, options);
    return convertTable(session, spec, options);
  }
  await makeKey(spec, live, run);
  const untilMs = await makeCheck(session, spec, options, run);
  await swap(session, spec, live, { how: 'attach', untilMs }, options);
  return done(table, options);
}

const done = (table: string, { dryRun }: ConvertOptions): Conversion => ({
  table,
  result: dryRun ? 'planned' : 'converted',
});

type Run = (statement: string) => Promise<void>;

function createRun(session: Session, { onStatement, dryRun }: ConvertOptions): Run {
  return async (statement) => {
    await onStatement?.(statement);
    if (!dryRun) await session.unsafe(statement);
  };
}

async function readAccepted(session: Session, spec: PartitionedTable): Promise<LiveTable> {
  const live = await readLiveTable(session, spec);
  if (!live) throw new Error(`${spec.table} is gone`);
  const reasons = reasonsToRefuse(spec, live);
  if (reasons.length > 0)
    throw new PartitioningRefusedError(`${spec.table} cannot be partitioned: ${reasons.join('; ')}`);
  return live;
}

async function hasFewRows(session: Session, table: string): Promise<boolean> {
  const [row] = await session.unsafe<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM (SELECT 1 FROM ${tableIn('public', table)} LIMIT ${COPY_AT_MOST + 1}) few`,
  );
  return (row?.count ?? 0) <= COPY_AT_MOST;
}

/** The old table's future primary key, built while everybody writes. */
async function makeKey({ table, time }: PartitionedTable, live: LiveTable, run: Run): Promise<void> {
  if (live.primaryKey?.columns.includes(time)) return;
  const name = keyIndexName(table);
  const there = live.indexes.find((index) => index.name === name);
  if (there?.isValid) return;
  if (there) await run(`DROP INDEX CONCURRENTLY IF EXISTS ${tableIn('public', name)}`);
  await run(
    `CREATE UNIQUE INDEX CONCURRENTLY ${quoteName(name)} ON ${tableIn('public', table)} (id, ${quoteName(time)})`,
  );
}

/** The check that says which partition the old table becomes, and that all of its rows agree with. */
async function makeCheck(
  session: Session,
  spec: PartitionedTable,
  options: ConvertOptions,
  run: Run,
): Promise<number> {
  const { table, time, every } = spec;
  const parent = tableIn('public', table);
  const name = rangeCheckName(table);
  const what = `the check of ${table}`;
  const short = (statement: string) =>
    inShortTransaction(session, { what, ...SWAP_LOCKS }, () => run(statement));
  const left = await readRangeCheck(session, table);
  let untilMs = left?.untilMs ?? 0;
  const canBeKept = left !== null && left.untilMs - options.nowMs >= CHECK_ROOM_MS;
  if (!canBeKept) {
    untilMs = chooseUntil(every, options.nowMs);
    await refuseLaterRows(session, spec, untilMs);
    if (left) await short(`ALTER TABLE ${parent} DROP CONSTRAINT ${quoteName(name)}`);
    await short(
      `ALTER TABLE ${parent} ADD CONSTRAINT ${quoteName(name)} CHECK (${quoteName(time)} < ${quoteTime(untilMs)}) NOT VALID`,
    );
  }
  if (canBeKept && left.isValidated) return untilMs;
  try {
    await short(`ALTER TABLE ${parent} VALIDATE CONSTRAINT ${quoteName(name)}`);
  } catch (error) {
    // It must not stay behind: when its time comes, it would refuse what the gateway writes.
    await session
      .unsafe(`ALTER TABLE ${parent} DROP CONSTRAINT IF EXISTS ${quoteName(name)}`)
      .catch(() => undefined);
    throw error;
  }
  return untilMs;
}

async function refuseLaterRows(
  session: Session,
  { table, time }: PartitionedTable,
  untilMs: number,
): Promise<void> {
  const [row] = await session.unsafe<{ count: string; last: string | null }[]>(
    `SELECT count(*) AS count, max(${quoteName(time)})::text AS last FROM ${tableIn('public', table)} WHERE ${quoteName(time)} >= ${quoteTime(untilMs)}`,
  );
  if (row && Number(row.count) > 0)
    throw new PartitioningRefusedError(
      `${table} cannot be partitioned: ${row.count} of its rows are of the future (the last of ${row.last}). ` +
        `Correct or delete those with ${time} >= ${quoteTime(untilMs)}, and run this again`,
    );
}

export interface RangeCheck {
  untilMs: number;
  isValidated: boolean;
}

/** The check that an interrupted conversion has left on a table; null when there is none. */
export async function readRangeCheck(session: Session, table: string): Promise<RangeCheck | null> {
  const [row] = await session<RangeCheck[]>`
    SELECT (extract(epoch FROM (regexp_match(pg_get_constraintdef(k.oid), $$< '([^']*)'$$))[1]::timestamptz) * 1000)::float8 AS "untilMs",
           k.convalidated AS "isValidated"
      FROM pg_constraint k
     WHERE k.conrelid = to_regclass(${tableIn('public', table)}) AND k.conname = ${rangeCheckName(table)}`;
  return row ?? null;
}

/** False when the table was to be copied and has grown too large for that meanwhile. */
async function swap(
  session: Session,
  spec: PartitionedTable,
  live: LiveTable,
  how: SwapHow,
  options: ConvertOptions,
): Promise<boolean> {
  const { table } = spec;
  if (options.dryRun) {
    for (const line of ['BEGIN', ...buildLocks(spec, live), ...buildSwap(spec, live, how), 'COMMIT'])
      await options.onStatement?.(line);
    return true;
  }
  const run = createRun(session, options);
  return inShortTransaction(session, { what: `the swap of ${table}`, ...SWAP_LOCKS }, async () => {
    for (const statement of buildLocks(spec, live)) await run(statement);
    // Whoever altered the table while it was being prepared finds that in its successor as well.
    const now = await readAccepted(session, spec);
    if (how.how === 'copy' && !(await hasFewRows(session, table))) return false;
    for (const statement of buildSwap(spec, now, how)) await options.onStatement?.(statement);
    await session.unsafe(buildSwap(spec, now, how).join(';\n'));
    return true;
  });
}
