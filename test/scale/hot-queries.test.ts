import { type SQL, sql as statement } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDatabase, type Database, type DatabaseConnection, openSession } from '../../src/db/client.ts';
import { keepPartitions } from '../../src/db/partitions/keep-partitions.ts';
import { readPartitions } from '../../src/db/partitions/read-partitions.ts';
import { HOT_QUERIES } from '../../src/db/queries/hot-queries.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const CALLS = 1_000_000;
const CHECKS = 300_000;
const DAYS = 120;
/** A table so small is read from its first row to its last in a page or two, whatever its indexes. */
const SMALL_ROWS = 1_000;

let database: TestDatabase;
let connection: DatabaseConnection;
let sql: Sql;
let sizes: Map<string, { rows: number; fromMs: number; toMs: number }>;

/** Indexes are built quicker over rows than row by row. */
async function fillWithoutIndexes(table: string, insert: string): Promise<void> {
  const indexes = await sql<{ name: string; definition: string }[]>`
    SELECT x.relname AS name, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS definition
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
     WHERE i.indrelid = ${table}::regclass AND NOT i.indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`DROP INDEX ${name}`);
  await sql.unsafe(insert);
  for (const { definition } of indexes) await sql.unsafe(definition);
  await sql.unsafe(`ANALYZE ${table}`);
}

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  sql = connection.sql;
  await sql`INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
    SELECT 's' || n, 'Server ' || n, '', '', 'http', 'o', now(), now() FROM generate_series(0, 199) n`;
  // One row in each week, so that its partition is there before the many come.
  await sql.unsafe(`INSERT INTO api_usage (path, method, status_code, requested_at)
    SELECT '/', 'GET', 200, now() - n * interval '1 day' FROM generate_series(0, ${DAYS}) n`);
  await sql.unsafe(`INSERT INTO mcp_server_health_check (server_id, status, checked_at)
    SELECT 's0', 'healthy', now() - n * interval '1 day' FROM generate_series(0, ${DAYS}) n`);
  const session = openSession(sql);
  await keepPartitions(session, Date.now());
  await session.end();
  await fillWithoutIndexes(
    'api_usage',
    `INSERT INTO api_usage (server_id, path, method, status_code, response_time, requested_at)
     SELECT 's' || (n % 200), '/mcp', 'POST', CASE WHEN n % 50 = 0 THEN 500 ELSE 200 END, n % 900,
       now() - n * interval '${DAYS} days' / ${CALLS} FROM generate_series(1, ${CALLS}) n`,
  );
  await fillWithoutIndexes(
    'mcp_server_health_check',
    `INSERT INTO mcp_server_health_check (server_id, status, response_time, metrics, checked_at)
     SELECT 's' || (n % 200), 'healthy', n % 900, '{"custom":{"verdict":"up","health":{"start":{}}}}',
       now() - n * interval '${DAYS} days' / ${CHECKS} FROM generate_series(1, ${CHECKS}) n`,
  );
  sizes = new Map();
  for (const { partitions } of await readPartitions(sql))
    for (const { name, fromMs, toMs } of partitions) {
      const [row] =
        await sql`SELECT reltuples::float8 AS rows FROM pg_class WHERE oid = ${`vitals_partitions.${name}`}::regclass`;
      sizes.set(name, { rows: row?.rows ?? 0, fromMs: fromMs ?? -Infinity, toMs: toMs ?? Infinity });
    }
}, 240_000);
afterAll(async () => {
  await connection.close();
  await database.close();
});

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

function* nodesOf(plan: PlanNode): Generator<PlanNode> {
  yield plan;
  for (const child of plan.Plans ?? []) yield* nodesOf(child);
}

const dialect = new PgDialect();

/** A database that explains each statement before it runs it. */
function explaining(db: Database, plans: PlanNode[]): Database {
  const recorder = {
    async execute(query: SQL) {
      const { sql: text, params } = dialect.sqlToQuery(query);
      if (/^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)/.test(text)) {
        const [row] = await db.execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
          statement.join([statement.raw('EXPLAIN (FORMAT JSON) '), query]),
        );
        const [explained] = row?.['QUERY PLAN'] ?? [];
        if (!explained) throw new Error(`no plan of ${text} with ${params.length} parameters`);
        plans.push(explained.Plan);
      }
      return db.execute(query);
    },
    transaction: (work: (tx: unknown) => unknown) => work(recorder),
  };
  return recorder as unknown as Database;
}

class Undo extends Error {}

it.each(HOT_QUERIES)(
  '$name: no partition is read that need not be, and none from its first row to its last',
  async ({ days, run }) => {
    const plans: PlanNode[] = [];
    const nowMs = Date.now();
    await connection.db
      .transaction(async (tx) => {
        await run(explaining(tx as unknown as Database, plans), { serverId: 's7', nowMs });
        throw new Undo();
      })
      .catch((error: unknown) => {
        if (!(error instanceof Undo)) throw error;
      });
    expect(plans.length).toBeGreaterThan(0);
    for (const node of plans.flatMap((plan) => [...nodesOf(plan)])) {
      const place = sizes.get(node['Relation Name'] ?? '');
      if (!place) continue;
      if (place.rows > SMALL_ROWS) expect(node['Node Type'], node['Relation Name']).not.toBe('Seq Scan');
      if (days !== null)
        expect(place.toMs, node['Relation Name']).toBeGreaterThan(nowMs - (days + 1) * 86_400_000);
    }
    // They did read one of the tables that this is about, or write to it.
    const text = JSON.stringify(plans);
    expect(text).toMatch(/"Relation Name":"(api_usage|mcp_server_health_check)/);
  },
);

it('has a million rows in partitions of several months', () => {
  const large = [...sizes.values()].filter(({ rows }) => rows > SMALL_ROWS);
  expect(large.length).toBeGreaterThan(25);
  expect(large.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(CALLS);
});
