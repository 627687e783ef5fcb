import type { SettingValues } from '../../core/settings/known-settings.ts';
import { periodOf } from '../../core/storage/periods.ts';
import type { Session } from '../migrations/bookkeeping.ts';
import { inShortTransaction } from '../migrations/in-short-transaction.ts';
import { tableIn } from '../partitions/build-swap.ts';
import { DETACHED, dropPartitionTable } from '../partitions/keep-partitions.ts';
import { SWAP_LOCKS } from '../partitions/make-partition.ts';
import { PARTITION_SCHEMA } from '../partitions/partitioned-tables.ts';
import { quoteName, quoteText, quoteTime } from '../partitions/quote.ts';
import { type PartitionState, readPartitions } from '../partitions/read-partitions.ts';
import type { Untaken } from '../rollup/untaken.ts';
import { daysOf, type KeptDays, type RetentionRule } from './rules.ts';

const DAY_MS = 86_400_000;

export interface RetentionOptions {
  days: SettingValues;
  rules: readonly RetentionRule[];
  nowMs: number;
  /** What a rollup has not seen yet, and so may not go; null: nothing is held. */
  findUntaken: (table: string) => Promise<Untaken | null>;
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
  const untaken = await options.findUntaken(rule.table);
  const tenants =
    rule.tenantDays === undefined ? { shortest: null, longest: null } : await readTenantDays(session);
  const days = daysOf(rule, options.days, tenants);
  const until = (age: number) => {
    const ms = Math.min(options.nowMs - age * DAY_MS, untaken?.fromMs ?? Infinity);
    return rule.byMonth && Number.isFinite(ms) ? periodOf('month', ms).fromMs : ms;
  };
  const allGoneMs = until(days.longest);
  let partitions = 0;
  for (const { name, toMs, isDefault } of state?.partitions ?? []) {
    if (isDefault || toMs === null || toMs > allGoneMs || options.signal?.aborted) continue;
    if (await dropPartition(session, rule.table, name, untaken?.isTaken ?? null)) partitions += 1;
  }
  const someGoneMs = until(days.shortest);
  const removed = { table: rule.table, rows: 0, partitions, more: false };
  if (!Number.isFinite(someGoneMs)) return removed;
  // Of a partitioned table each partition that holds anything so old; of another, the table itself.
  const places = state
    ? state.partitions
        .filter(
          ({ toMs, fromMs, isDefault }) =>
            isDefault || ((toMs ?? Infinity) > allGoneMs && (fromMs ?? -Infinity) < someGoneMs),
        )
        .map(({ name }) => tableIn(PARTITION_SCHEMA, name))
    : [tableIn(rule.schema, rule.table)];
  const condition = conditionOf(rule, days, { nowMs: options.nowMs, someGoneMs, untaken });
  const atMost = options.rowsAtMost ?? 1_000_000;
  for (const place of places)
    removed.rows += await deleteOld(session, place, rule, condition, atMost - removed.rows, options);
  return { ...removed, more: removed.rows >= atMost };
}

/** Which rows go, as SQL: older than their own rule says, and never what is held. */
function conditionOf(
  rule: RetentionRule,
  days: KeptDays,
  { nowMs, someGoneMs, untaken }: { nowMs: number; someGoneMs: number; untaken: Untaken | null },
): string {
  const time = quoteName(rule.time);
  const before = (age: string) => `${time} < ${quoteTime(nowMs)}::timestamptz - (${age}) * interval '1 day'`;
  const byRow = rule.longer
    ? before(`CASE WHEN ${rule.longer.where} THEN ${days.longer} ELSE ${days.own} END`)
    : rule.tenantDays
      ? before(`coalesce(${rule.tenantDays}, ${days.own})`)
      : null;
  // The first bound is what the index is read by.
  return [`${time} < ${quoteTime(someGoneMs)}`, byRow, rule.only, untaken?.isTaken]
    .filter((part) => part != null)
    .map((part) => `(${part})`)
    .join(' AND ');
}

async function deleteOld(
  session: Session,
  place: string,
  { schema, time, alongWith }: RetentionRule,
  condition: string,
  atMost: number,
  { batchRows = 5_000, signal }: RetentionOptions,
): Promise<number> {
  // Others write to our own tables, in an order of theirs: what they hold at this moment goes later.
  const unlocked = schema === 'vitals' ? 'FOR UPDATE SKIP LOCKED' : '';
  let gone = 0;
  while (gone < atMost && !signal?.aborted) {
    const limit = Math.min(batchRows, atMost - gone);
    const deletion = `DELETE FROM ONLY ${place} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ONLY ${place}
      WHERE ${condition} ORDER BY ${quoteName(time)} LIMIT ${limit} ${unlocked}))`;
    const [row] = await session.unsafe<{ count: number }[]>(
      `WITH b AS (${deletion} RETURNING ${alongWith ? '*' : '1'})${alongWith ? `, along AS (${alongWith})` : ''}
       SELECT count(*)::int AS count FROM b`,
    );
    const count = row?.count ?? 0;
    gone += count;
    if (count < limit) break;
  }
  return gone;
}

/** A row that a rollup has not taken has come into a partition that was about to go. */
class HeldError extends Error {}

/** Taken out of its table in a moment, and dropped when nobody needs it any more; false: it holds what is not taken. */
async function dropPartition(
  session: Session,
  table: string,
  name: string,
  isTaken: string | null,
): Promise<boolean> {
  const targets = await session<{ target: string }[]>`
    SELECT DISTINCT confrelid::regclass::text AS target FROM pg_constraint
     WHERE conrelid = ${tableIn('public', table)}::regclass AND contype = 'f' ORDER BY 1`;
  const partition = tableIn(PARTITION_SCHEMA, name);
  try {
    // Not CONCURRENTLY: PostgreSQL cannot do that where there is a default partition.
    await inShortTransaction(session, { what: `the end of ${name}`, ...SWAP_LOCKS }, async () => {
      for (const { target } of targets)
        await session.unsafe(`LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`);
      await session.unsafe(`ALTER TABLE ${tableIn('public', table)} DETACH PARTITION ${partition}`);
      // From here on nobody can write to it.
      const held =
        isTaken === null
          ? []
          : await session.unsafe(`SELECT 1 FROM ${partition} WHERE NOT ${isTaken} LIMIT 1`);
      if (held.length > 0) throw new HeldError(`${name} holds what was not rolled up`);
      await session.unsafe(`COMMENT ON TABLE ${partition} IS ${quoteText(DETACHED)}`);
    });
  } catch (error) {
    if (error instanceof HeldError) return false;
    throw error;
  }
  await dropPartitionTable(session, name);
  return true;
}

async function readTenantDays(
  session: Session,
): Promise<{ shortest: number | null; longest: number | null }> {
  const [row] = await session<{ shortest: number | null; longest: number | null }[]>`
    SELECT min(audit_log_retention) AS shortest, max(audit_log_retention) AS longest FROM tenant
     WHERE audit_log_retention BETWEEN 1 AND 36500`;
  return row ?? { shortest: null, longest: null };
}
