import type { SettingValues } from '../../core/settings/known-settings.ts';
import type { Session } from '../migrations/bookkeeping.ts';
import { inShortTransaction } from '../migrations/in-short-transaction.ts';
import { tableIn } from '../partitions/build-swap.ts';
import { DETACHED, dropPartitionTable } from '../partitions/keep-partitions.ts';
import { SWAP_LOCKS } from '../partitions/make-partition.ts';
import { PARTITION_SCHEMA } from '../partitions/partitioned-tables.ts';
import { quoteName, quoteText, quoteTime } from '../partitions/quote.ts';
import { type PartitionState, readPartitions } from '../partitions/read-partitions.ts';
import { longestDays, type RetentionRule, shortestDays } from './rules.ts';

const DAY_MS = 86_400_000;

export interface RetentionOptions {
  days: SettingValues;
  rules: readonly RetentionRule[];
  nowMs: number;
  /** Nothing of the table at or after that time may go: a rollup has not seen it yet. null: nothing is held. */
  protectedFrom: (table: string) => Promise<Date | null>;
  /** Ends it after the statement that runs. */
  signal?: AbortSignal;
  /** So many rows go in one transaction. */
  batchRows?: number;
  /** So many of a table go in one run; the rest waits for the next. */
  rowsAtMost?: number;
}

export interface Removed {
  table: string;
  rows: number;
  partitions: number;
  /** There is more that may go: the next run goes on. */
  more: boolean;
}

/** Removes what is older than its table's, and its tenant's, time; the caller holds the storage lock. */
export async function runRetention(session: Session, options: RetentionOptions): Promise<Removed[]> {
  const states = await readPartitions(session);
  const removed: Removed[] = [];
  for (const rule of options.rules) {
    if (options.signal?.aborted) break;
    if (!(await isThere(session, rule))) continue;
    const state = states.find(
      ({ table, kind }) => rule.schema === 'public' && table === rule.table && kind === 'ours',
    );
    removed.push(await clearTable(session, rule, state ?? null, options));
  }
  return removed;
}

async function isThere(session: Session, { schema, table }: RetentionRule): Promise<boolean> {
  const [row] = await session`SELECT to_regclass(${tableIn(schema, table)}) IS NOT NULL AS there`;
  return row?.there === true;
}

async function clearTable(
  session: Session,
  rule: RetentionRule,
  state: PartitionState | null,
  options: RetentionOptions,
): Promise<Removed> {
  const { nowMs, days } = options;
  const held = await options.protectedFrom(rule.table);
  const until = (age: number) => Math.min(nowMs - age * DAY_MS, held?.getTime() ?? Infinity);
  const tenants =
    rule.tenantDays === undefined ? { shortest: null, longest: null } : await readTenantDays(session);
  const allGoneMs = until(longestDays(rule, days, tenants.longest));
  let partitions = 0;
  for (const { name, toMs, isDefault } of state?.partitions ?? []) {
    if (isDefault || toMs === null || toMs > allGoneMs || options.signal?.aborted) continue;
    await dropPartition(session, rule.table, name);
    partitions += 1;
  }
  const someGoneMs = until(shortestDays(rule, days, tenants.shortest));
  // Of a partitioned table each partition that holds anything so old; of another, the table itself.
  const places = state
    ? state.partitions
        .filter(
          ({ toMs, fromMs, isDefault }) =>
            isDefault || ((toMs ?? Infinity) > allGoneMs && (fromMs ?? -Infinity) < someGoneMs),
        )
        .map(({ name }) => tableIn(PARTITION_SCHEMA, name))
    : [tableIn(rule.schema, rule.table)];
  const condition = conditionOf(rule, days, nowMs, someGoneMs);
  let rows = 0;
  for (const place of places) {
    const left = (options.rowsAtMost ?? 1_000_000) - rows;
    rows += await deleteOld(session, place, rule.time, condition, left, options);
  }
  return { table: rule.table, rows, partitions, more: rows >= (options.rowsAtMost ?? 1_000_000) };
}

/** Which rows go, as SQL: older than their own rule says, and never what is held. */
function conditionOf(rule: RetentionRule, days: SettingValues, nowMs: number, someGoneMs: number): string {
  const time = quoteName(rule.time);
  const before = (age: string) => `${time} < ${quoteTime(nowMs)}::timestamptz - (${age}) * interval '1 day'`;
  const own = String(days[rule.days]);
  const byRow = rule.longer
    ? before(`CASE WHEN ${rule.longer.where} THEN ${days[rule.longer.days]} ELSE ${own} END`)
    : before(rule.tenantDays ? `coalesce(${rule.tenantDays}, ${own})` : own);
  // The first bound is what the index is read by.
  return `${time} < ${quoteTime(someGoneMs)} AND ${byRow}`;
}

async function deleteOld(
  session: Session,
  place: string,
  time: string,
  condition: string,
  atMost: number,
  { batchRows = 5_000, signal }: RetentionOptions,
): Promise<number> {
  let gone = 0;
  while (gone < atMost && !signal?.aborted) {
    const limit = Math.min(batchRows, atMost - gone);
    const { count } = await session.unsafe(
      `DELETE FROM ONLY ${place} WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM ONLY ${place} WHERE ${condition} ORDER BY ${quoteName(time)} LIMIT ${limit}))`,
    );
    gone += count;
    if (count < limit) break;
  }
  return gone;
}

/** Taken out of its table in a moment, and dropped when nobody needs it any more. */
async function dropPartition(session: Session, table: string, name: string): Promise<void> {
  const targets = await session<{ target: string }[]>`
    SELECT DISTINCT confrelid::regclass::text AS target FROM pg_constraint
     WHERE conrelid = ${tableIn('public', table)}::regclass AND contype = 'f' ORDER BY 1`;
  const partition = tableIn(PARTITION_SCHEMA, name);
  // Not CONCURRENTLY: PostgreSQL cannot do that where there is a default partition.
  await inShortTransaction(session, { what: `the end of ${name}`, ...SWAP_LOCKS }, async () => {
    for (const { target } of targets)
      await session.unsafe(`LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`);
    await session.unsafe(`ALTER TABLE ${tableIn('public', table)} DETACH PARTITION ${partition}`);
    await session.unsafe(`COMMENT ON TABLE ${partition} IS ${quoteText(DETACHED)}`);
  });
  await dropPartitionTable(session, name);
}

async function readTenantDays(
  session: Session,
): Promise<{ shortest: number | null; longest: number | null }> {
  const [row] = await session<{ shortest: number | null; longest: number | null }[]>`
    SELECT min(audit_log_retention) AS shortest, max(audit_log_retention) AS longest FROM tenant
     WHERE audit_log_retention BETWEEN 1 AND 36500`;
  return row ?? { shortest: null, longest: null };
}
