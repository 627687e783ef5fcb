import type { Session } from '../migrations/bookkeeping.ts';
import { PARTITION_SCHEMA, PARTITIONED_TABLES, type PartitionedTable } from './partitioned-tables.ts';

export interface Partition {
  /** In the schema of the partitions. */
  name: string;
  /** null without a lower bound; both are null for the default partition. */
  fromMs: number | null;
  toMs: number | null;
  isDefault: boolean;
}

/**
 * missing: no such table. plain: an ordinary one. ours: its partitions are kept by us. foreign: somebody
 * else partitioned it, or other tables inherit from it; it is left alone.
 */
export type TableKind = 'missing' | 'plain' | 'ours' | 'foreign';

export interface PartitionState extends PartitionedTable {
  kind: TableKind;
  /** By time; the default partition is the last. Empty unless the table is ours. */
  partitions: Partition[];
}

interface TableRow {
  name: string;
  relkind: string;
  children: boolean;
}

interface PartitionRow {
  table: string;
  name: string;
  isDefault: boolean;
  fromMs: number | null;
  toMs: number | null;
}

/** How each of the tables that are to be partitioned is stored; reads the catalogue alone. */
export async function readPartitions(
  sql: Session,
  tables: readonly PartitionedTable[] = PARTITIONED_TABLES,
): Promise<PartitionState[]> {
  const names = tables.map(({ table }) => table);
  const found = await sql<TableRow[]>`
    SELECT c.relname AS name, c.relkind,
           EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid OR i.inhrelid = c.oid) AS children
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relname = ANY(${names}) AND c.relkind IN ('r', 'p')`;
  // The bounds are read in the session that wrote them down as text: its time zone is the one they are in.
  const partitions = await sql<PartitionRow[]>`
    SELECT b.table, b.name, b.bound = 'DEFAULT' AS "isDefault",
           (extract(epoch FROM (regexp_match(b.bound, $$FROM \\('([^']*)'\\)$$))[1]::timestamptz) * 1000)::float8 AS "fromMs",
           (extract(epoch FROM (regexp_match(b.bound, $$TO \\('([^']*)'\\)$$))[1]::timestamptz) * 1000)::float8 AS "toMs"
      FROM (SELECT p.relname AS table, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
              FROM pg_inherits i
              JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
              JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE pn.nspname = 'public' AND p.relname = ANY(${names}) AND p.relkind = 'p'
               AND n.nspname = ${PARTITION_SCHEMA}) b
     ORDER BY 1, 3, 4 NULLS FIRST`;
  return tables.map((spec) => {
    const row = found.find(({ name }) => name === spec.table);
    const own = partitions.filter(({ table }) => table === spec.table).map(({ table: _, ...rest }) => rest);
    const isOurs = own.some(({ isDefault, name }) => isDefault && name === defaultName(spec.table));
    return { ...spec, kind: kindOf(row, isOurs), partitions: isOurs ? own : [] };
  });
}

function kindOf(row: TableRow | undefined, isOurs: boolean): TableKind {
  if (!row) return 'missing';
  if (isOurs) return 'ours';
  return row.relkind === 'r' && !row.children ? 'plain' : 'foreign';
}

/** The partition that takes what no other one does; that it is there says that the table is ours. */
export const defaultName = (table: string): string => `${table}_default`;
