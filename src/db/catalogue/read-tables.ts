import type { Session } from '../migrations/bookkeeping.ts';
import { ARRIVAL_COLUMN } from '../rollup/arrivals.ts';
import type { TableFacts } from './facts.ts';

interface ColumnRow {
  schema: string;
  table: string;
  name: string;
  type: string;
  nullable: boolean;
  default: string | null;
}
interface IndexRow {
  schema: string;
  table: string;
  name: string;
  columns: string[];
  primary: boolean;
  /** Unique for every row: not partial, and checked at once. */
  unique: boolean;
}
interface ForeignKeyRow {
  schema: string;
  table: string;
  columns: string[];
  target: string;
  foreignColumns: string[];
  onDelete: string;
}

const QUOTED = /^'((?:[^']|'')*)'(?:::.+)?$/s;

/** `'{}'::json` is `{}`, `'it''s'::text` is `it's`, `(5)::numeric` is `5`; anything else is an expression. */
export function plainDefault(expression: string | null): string | null {
  if (expression === null) return null;
  const quoted = QUOTED.exec(expression)?.[1];
  if (quoted !== undefined) return quoted.replaceAll("''", "'");
  return /^\(?(-?[\d.]+)\)?(?:::.+)?$/.exec(expression)?.[1] ?? expression;
}

function readColumns(sql: Session, schemas: string[]): Promise<ColumnRow[]> {
  return sql<ColumnRow[]>`
    SELECT n.nspname AS schema, c.relname AS table, a.attname AS name,
           format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
           CASE WHEN a.attidentity <> '' THEN 'identity' ELSE pg_get_expr(d.adbin, d.adrelid) END AS default
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE n.nspname = ANY(${schemas}) AND c.relkind IN ('r', 'p')
     ORDER BY n.nspname, c.relname, a.attnum`;
}

function readIndexes(sql: Session, schemas: string[]): Promise<IndexRow[]> {
  return sql<IndexRow[]>`
    SELECT n.nspname AS schema, c.relname AS table, x.relname AS name,
           -- The primary key of a partitioned table holds what it is partitioned by: what it says is the rest.
           ARRAY(SELECT coalesce(a.attname::text, pg_get_indexdef(i.indexrelid, k.place::int, true))
                   FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                   LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
                  WHERE k.place <= i.indnkeyatts
                    AND NOT (i.indisprimary AND k.place > 1 AND p.partattrs IS NOT NULL AND k.attnum = ANY(p.partattrs::int2[]))
                  ORDER BY k.place) AS columns,
           i.indisprimary AS primary,
           i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AS unique
      FROM pg_index i
      JOIN pg_class x ON x.oid = i.indexrelid
      JOIN pg_class c ON c.oid = i.indrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
     WHERE n.nspname = ANY(${schemas})
     ORDER BY n.nspname, c.relname, x.relname`;
}

function readForeignKeys(sql: Session, schemas: string[]): Promise<ForeignKeyRow[]> {
  return sql<ForeignKeyRow[]>`
    SELECT n.nspname AS schema, c.relname AS table,
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, place)
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY u.place) AS columns,
           CASE WHEN fn.nspname = 'public' THEN f.relname ELSE fn.nspname || '.' || f.relname END AS target,
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, place)
                   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY u.place) AS "foreignColumns",
           CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
                              WHEN 'r' THEN 'restrict' ELSE 'no action' END AS "onDelete"
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class f ON f.oid = k.confrelid
      JOIN pg_namespace fn ON fn.oid = f.relnamespace
     WHERE k.contype = 'f' AND n.nspname = ANY(${schemas})`;
}

/**
 * Every table of those schemas as it is, in three queries; keyed `schema.name`. The column that we add to
 * tables of the gateway's, and the index on it, are left out: they are in no schema, theirs or ours.
 */
export async function readTables(sql: Session, schemas: string[]): Promise<Map<string, TableFacts>> {
  const tables = new Map<string, TableFacts>();
  const of = (row: { schema: string; table: string }): TableFacts => {
    const key = `${row.schema}.${row.table}`;
    const known = tables.get(key);
    if (known) return known;
    const { schema, table: name } = row;
    const made = { schema, name, columns: [], primaryKey: [], uniques: [], indexes: [], foreignKeys: [] };
    tables.set(key, made);
    return made;
  };
  for (const row of await readColumns(sql, schemas)) {
    const { name, type, nullable } = row;
    if (name === ARRIVAL_COLUMN) continue;
    of(row).columns.push({ name, type, nullable, default: plainDefault(row.default) });
  }
  for (const row of await readIndexes(sql, schemas)) {
    if (row.columns.includes(ARRIVAL_COLUMN)) continue;
    const table = of(row);
    if (row.primary) table.primaryKey.push(...row.columns);
    else if (row.unique) table.uniques.push(row.columns);
    // A unique index serves reads as well, under whatever name.
    if (!row.primary) table.indexes.push({ name: row.name, columns: row.columns });
  }
  for (const row of await readForeignKeys(sql, schemas)) {
    const { columns, target, foreignColumns, onDelete } = row;
    of(row).foreignKeys.push({ columns, table: target, foreignColumns, onDelete });
  }
  return tables;
}
