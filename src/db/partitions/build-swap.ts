import { type Every, type Period, periodOf, periodsAhead } from '../../core/storage/periods.ts';
import { nameOfPartition } from './make-partition.ts';
import { AHEAD, PARTITION_SCHEMA, type PartitionedTable } from './partitioned-tables.ts';
import { quoteName, quoteText, quoteTime } from './quote.ts';
import type { LiveTable } from './read-live-table.ts';
import { defaultName } from './read-partitions.ts';

/** The unique index over (id, time) that becomes the old table's primary key. */
export const keyIndexName = (table: string): string => `${table}_partition_key`;
/** The constraint that spares PostgreSQL the reading of the old table when it becomes a partition. */
export const rangeCheckName = (table: string): string => `${table}_partition_range`;
/** What the old table is called as a partition. */
export const historyName = (table: string): string => `${table}_history`;

export const tableIn = (schema: string, name: string): string => `${quoteName(schema)}.${quoteName(name)}`;

/**
 * attach: the old table becomes the partition of everything before `untilMs`. copy: its rows, few as they
 * are, are put into partitions, and it is dropped.
 */
export type SwapHow = { how: 'attach'; untilMs: number } | { how: 'copy'; nowMs: number };

/** The old table out of the way, and a partitioned one in its place that is like it in everything. */
function makeParent({ table, time }: PartitionedTable, live: LiveTable): string[] {
  const parent = tableIn('public', table);
  const old = tableIn(PARTITION_SCHEMA, historyName(table));
  const owner = quoteName(live.owner);
  return [
    ...(live.isOwnerElse ? [`GRANT USAGE, CREATE ON SCHEMA ${quoteName(PARTITION_SCHEMA)} TO ${owner}`] : []),
    ...live.triggers.map(({ name }) => `DROP TRIGGER ${quoteName(name)} ON ${parent}`),
    // They would move, and go, with the old table.
    ...live.sequences.map(({ name }) => `ALTER SEQUENCE ${name} OWNED BY NONE`),
    `ALTER TABLE ${parent} RENAME TO ${quoteName(historyName(table))}`,
    `ALTER TABLE public.${quoteName(historyName(table))} SET SCHEMA ${quoteName(PARTITION_SCHEMA)}`,
    `CREATE TABLE ${parent} (LIKE ${old} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING COMMENTS INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING STATISTICS) PARTITION BY RANGE (${quoteName(time)})`,
    `ALTER TABLE ${parent} ADD CONSTRAINT ${quoteName(live.primaryKey?.name ?? `${table}_pkey`)} PRIMARY KEY (id, ${quoteName(time)})`,
    ...live.uniques.map(
      ({ name, definition }) => `ALTER TABLE ${parent} ADD CONSTRAINT ${quoteName(name)} ${definition}`,
    ),
    ...live.indexes
      .filter(({ name, isValid }) => isValid && name !== keyIndexName(table))
      .map(({ definition }) => definition),
    ...live.checks
      .filter(({ name }) => name !== rangeCheckName(table))
      .map(({ name, definition }) => `ALTER TABLE ${parent} ADD CONSTRAINT ${quoteName(name)} ${definition}`),
    ...live.foreignKeys.map(
      ({ name, definition }) => `ALTER TABLE ${parent} ADD CONSTRAINT ${quoteName(name)} ${definition}`,
    ),
    ...live.grants,
    ...(live.comment === null ? [] : [`COMMENT ON TABLE ${parent} IS ${quoteText(live.comment)}`]),
    ...(live.replicaIdentity === 'f' ? [`ALTER TABLE ${parent} REPLICA IDENTITY FULL`] : []),
    ...(live.isOwnerElse ? [`ALTER TABLE ${parent} OWNER TO ${owner}`] : []),
    ...live.sequences.map(
      ({ name, column }) => `ALTER SEQUENCE ${name} OWNED BY ${parent}.${quoteName(column)}`,
    ),
  ];
}

function attachOld({ table, time }: PartitionedTable, live: LiveTable, untilMs: number): string[] {
  const old = tableIn(PARTITION_SCHEMA, historyName(table));
  const key = live.primaryKey;
  return [
    ...(key && !key.columns.includes(time)
      ? [
          `ALTER TABLE ${old} DROP CONSTRAINT ${quoteName(key.name)}`,
          `ALTER TABLE ${old} ADD CONSTRAINT ${quoteName(key.name)} PRIMARY KEY USING INDEX ${quoteName(keyIndexName(table))}`,
        ]
      : []),
    `ALTER TABLE ${tableIn('public', table)} ATTACH PARTITION ${old} FOR VALUES FROM (MINVALUE) TO (${quoteTime(untilMs)})`,
    `ALTER TABLE ${old} DROP CONSTRAINT ${quoteName(rangeCheckName(table))}`,
  ];
}

function makePartitions({ table, every }: PartitionedTable, nowMs: number): string[] {
  return periodsAhead(every, nowMs, AHEAD[every]).map(
    ({ fromMs, toMs }: Period) =>
      `CREATE TABLE ${tableIn(PARTITION_SCHEMA, nameOfPartition(table, fromMs))} PARTITION OF ${tableIn('public', table)} FOR VALUES FROM (${quoteTime(fromMs)}) TO (${quoteTime(toMs)})`,
  );
}

function copyRows({ table }: PartitionedTable, live: LiveTable): string[] {
  const old = tableIn(PARTITION_SCHEMA, historyName(table));
  const columns = live.columns.map(quoteName).join(', ');
  return [
    `INSERT INTO ${tableIn('public', table)} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${old}`,
    `DROP TABLE ${old}`,
  ];
}

/** What the swap holds before it looks at the table: writers wait from here to its end. */
export function buildLocks({ table }: PartitionedTable, live: LiveTable): string[] {
  const targets = [...new Set(live.foreignKeys.map(({ target }) => target))].sort();
  return [
    // First those that the foreign keys point to, as a writer has it that updates a server and notes its check.
    ...targets.map((target) => `LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`),
    `LOCK TABLE ${tableIn('public', table)} IN ACCESS EXCLUSIVE MODE`,
  ];
}

/** The statements of the swap, in order, for one transaction that holds the locks. */
export function buildSwap(spec: PartitionedTable, live: LiveTable, swap: SwapHow): string[] {
  const { table } = spec;
  const parent = tableIn('public', table);
  return [
    ...makeParent(spec, live),
    ...(swap.how === 'attach' ? attachOld(spec, live, swap.untilMs) : makePartitions(spec, swap.nowMs)),
    `CREATE TABLE ${tableIn(PARTITION_SCHEMA, defaultName(table))} PARTITION OF ${parent} DEFAULT`,
    ...(swap.how === 'copy' ? copyRows(spec, live) : []),
    ...live.triggers.map(({ definition }) => definition),
    ...(live.isOwnerElse
      ? [`ALTER TABLE ${tableIn(PARTITION_SCHEMA, defaultName(table))} OWNER TO ${quoteName(live.owner)}`]
      : []),
  ];
}

/** The end of the old table's partition: what is written until then, and some time after, belongs to it. */
export function chooseUntil(every: Every, nowMs: number): number {
  // Nobody may write a later time while the check is there and the swap is not: two periods are room enough.
  const next = periodOf(every, periodOf(every, nowMs).toMs);
  return periodOf(every, next.toMs).toMs;
}
