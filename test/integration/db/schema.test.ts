import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTables } from '../../../src/db/catalogue/read-tables.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import * as schema from '../../../src/db/schema/index.ts';
import { ALLOWED_VALUES, CONTRACT, KEYS, SET_BY_THE_APPLICATION } from '../../fixtures/contract.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
/** As PostgreSQL has it after our migrations, in the fixture's words. */
let actual: Awaited<ReturnType<typeof readTables>>;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  actual = await readTables(connection.sql, ['public']);
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

const tables: Record<string, unknown> = schema;
const drizzleTable = (key: string) => tables[key] as PgTable;

describe('a migrated database', () => {
  it('has exactly the 31 tables of the contract in public', () => {
    expect([...actual.values()].map(({ name }) => name).sort()).toEqual(Object.keys(CONTRACT).sort());
    expect(Object.keys(CONTRACT)).toHaveLength(31);
  });

  it.each(Object.entries(CONTRACT))('%s is as the contract has it', (name, contract) => {
    const table = actual.get(`public.${name}`);
    const columns = table?.columns.map(({ name, type, nullable, default: value }) => {
      const short = type.replace('timestamp with time zone', 'timestamptz');
      return `${name} ${short}${nullable ? '' : '!'}${value === null ? '' : ` = ${value}`}`;
    });
    expect(columns).toEqual(contract.columns);
    expect(table?.primaryKey).toEqual(['id']);
    expect(table?.uniques.map((unique) => unique.join(', ')).sort()).toEqual(
      [...(contract.unique ?? [])].sort(),
    );
    const foreignKeys = table?.foreignKeys.map(
      ({ columns, table, foreignColumns, onDelete }) =>
        `${columns.join(', ')} > ${table}.${foreignColumns.join(', ')}${onDelete === 'no action' ? '' : ` ${onDelete}`}`,
    );
    expect(foreignKeys?.sort()).toEqual([...(contract.fk ?? [])].sort());
    const indexes = Object.fromEntries(
      table?.indexes.map(({ name, columns }) => [name, columns.join(', ')]) ?? [],
    );
    expect(indexes).toMatchObject(contract.indexes ?? {});
  });

  it('has the index for one server’s history, newest first, and uses it without a sort', async () => {
    const plan = await connection.sql.begin(async (tx) => {
      await tx`SET LOCAL enable_seqscan = off`;
      await tx`SET LOCAL enable_bitmapscan = off`;
      return tx`EXPLAIN SELECT * FROM mcp_server_health_check WHERE server_id = 'a' ORDER BY checked_at DESC LIMIT 10`;
    });
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    // Each partition by its part of the index, and the newest of them first.
    expect(text).toContain('mcp_server_health_check_default_server_id_checked_at_idx');
    expect(text).not.toMatch(/Sort {2}\(|Seq Scan/);
  });
});

describe('the Drizzle tables', () => {
  it.each(Object.entries(KEYS))('%s has the contract’s property keys', (name, keys) => {
    const table = drizzleTable(CONTRACT[name]?.key ?? '');
    expect(Object.keys(getTableColumns(table))).toEqual(keys.split(' '));
  });

  it.each(Object.entries(ALLOWED_VALUES))('%s allows what the contract allows', (place, values) => {
    const [name = '', column = ''] = place.split('.');
    const columns = Object.values(getTableColumns(drizzleTable(CONTRACT[name]?.key ?? '')));
    expect(columns.find((candidate) => candidate.name === column)?.enumValues).toEqual(values);
  });

  it.each(Object.entries(SET_BY_THE_APPLICATION))('%s sets what the application is to set', (name, keys) => {
    const columns = getTableColumns(drizzleTable(CONTRACT[name]?.key ?? ''));
    for (const key of keys.split(' ')) expect(columns[key]?.defaultFn, key).toBeTypeOf('function');
    if (columns.updatedAt?.defaultFn) expect(columns.updatedAt.onUpdateFn).toBeTypeOf('function');
  });
});
