import { getTableColumns, getTableName, is, SQL } from 'drizzle-orm';
import { getTableConfig, IndexedColumn, type PgColumn, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import type { ColumnFacts, TableFacts } from './facts.ts';

const dialect = new PgDialect();

/** The SQL default (`identity` for a column that counts by itself); what Drizzle fills in itself is none of the database's business. */
function defaultOf(column: PgColumn): string | null {
  if (column.generatedIdentity) return 'identity';
  const value: unknown = column.default;
  if (value === undefined || value === null) return null;
  if (is(value, SQL)) return dialect.sqlToQuery(value).sql;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function columnFacts(column: PgColumn): ColumnFacts {
  return {
    name: column.name,
    type: column.getSQLType().replaceAll(', ', ','),
    nullable: !column.notNull,
    default: defaultOf(column),
  };
}

/** What the database should have for a table of our schema. */
export function expectTable(table: PgTable): TableFacts {
  const config = getTableConfig(table);
  const columns: PgColumn[] = Object.values(getTableColumns(table));
  const inline = columns.filter((column) => column.primary).map(({ name }) => name);
  const composite = config.primaryKeys.flatMap((key) => key.columns.map(({ name }) => name));
  return {
    schema: config.schema ?? 'public',
    name: config.name,
    columns: columns.map(columnFacts),
    primaryKey: [...inline, ...composite],
    uniques: [
      ...columns.filter((column) => column.isUnique).map(({ name }) => [name]),
      ...config.uniqueConstraints.map((constraint) => constraint.columns.map(({ name }) => name)),
    ],
    indexes: config.indexes.map(({ config: index }) => ({
      name: index.name ?? '',
      columns: index.columns.map((column) =>
        is(column, IndexedColumn) ? (column.name ?? '') : dialect.sqlToQuery(column as SQL).sql,
      ),
    })),
    foreignKeys: config.foreignKeys.map((key) => {
      const { columns: from, foreignColumns, foreignTable } = key.reference();
      const { schema } = getTableConfig(foreignTable);
      const name = getTableName(foreignTable);
      return {
        columns: from.map((column) => column.name),
        table: schema === undefined ? name : `${schema}.${name}`,
        foreignColumns: foreignColumns.map((column) => column.name),
        onDelete: key.onDelete ?? 'no action',
      };
    }),
  };
}
