import { type SQL, sql as statement } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/core/settings/known-settings.ts';
import { connectDatabase, type Database, type DatabaseConnection, openSession } from '../../src/db/client.ts';
import { keepPartitions } from '../../src/db/partitions/keep-partitions.ts';
import { readPartitions } from '../../src/db/partitions/read-partitions.ts';
import { HOT_QUERIES } from '../../src/db/queries/hot-queries.ts';
import { RETENTION_RULES_OF_TABLES } from '../../src/db/retention/rules.ts';
import { runRetention } from '../../src/db/retention/run-retention.ts';
import { findUntaken } from '../../src/db/rollup/untaken.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const CALLS = 1_000_000;
const CHECKS = 300_000;
const DAYS = 120;
/** What is written to is named by its parent. */
const PARENTS = ['api_usage', 'mcp_server_health_check'];
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

/** What rollups and alerts have made of some months. */
async function fillOwnTables(): Promise<void> {
  const server = `'s' || (n % 200)`;
  const hour = `date_trunc('hour', now(), 'UTC') - n / 200 * interval '1 hour'`;
  const day = `date_trunc('day', now(), 'UTC') - n / 200 * interval '1 day'`;
  const bucket = (table: string, at: string, rows: number) =>
    `INSERT INTO vitals.${table} (server_id, at, up, latency) SELECT ${server}, ${at}, 1, '{}' FROM generate_series(0, ${rows - 1}) n`;
  for (const statement of [
    `INSERT INTO vitals.usage_bucket (period, period_start, kind, key, requests)
     SELECT 'hour', ${hour}, 'server', ${server}, 1 FROM generate_series(0, 99999) n
     UNION ALL SELECT 'hour', ${hour} - interval '150 days', 'server', ${server}, 1 FROM generate_series(0, 9999) n
     UNION ALL SELECT 'day', ${day}, 'server', ${server}, 1 FROM generate_series(0, 39999) n`,
    `INSERT INTO api_usage_stats (id, period_type, period_start, period_end, created_at, updated_at)
     SELECT gen_random_uuid(), 'hour', ${hour}, ${hour}, now(), now() FROM generate_series(0, 99999) n`,
    bucket('health_minute', `date_trunc('minute', now()) - n / 200 * interval '1 minute'`, 60_000),
    bucket('health_hour', hour, 60_000),
    bucket(
      'health_shift',
      `to_timestamp(floor(extract(epoch FROM now()) / 28800) * 28800) - n / 200 * interval '8 hours'`,
      40_000,
    ),
    bucket('health_day', day, 30_000),
    `INSERT INTO vitals.health_shift_week (server_id, at, points)
     SELECT ${server}, to_timestamp(floor(extract(epoch FROM now()) / 604800) * 604800) - n / 200 * interval '7 days', rpad('[', 1500) || ']'
       FROM generate_series(0, 9999) n`,
    `INSERT INTO vitals.uptime_day (server_id, day) SELECT ${server}, current_date - n / 200 FROM generate_series(0, 19999) n`,
    `INSERT INTO vitals.usage_counted (server_id, day, tool) SELECT ${server}, current_date - 60 - n / 200, '' FROM generate_series(0, 19999) n`,
    `INSERT INTO vitals.usage_set_aside (found_at, problem, rows) SELECT now() - n * interval '1 minute', 'late', 1 FROM generate_series(0, 9999) n`,
    `INSERT INTO system_event (type, category, title, source, status, data, occurred_at, created_at)
     SELECT CASE WHEN n % 10 = 0 THEN 'server.status_changed' ELSE 'usage.rollup' END, 'system', 'e',
       CASE WHEN n % 3 = 0 THEN 'gateway' ELSE 'mcp-vitals' END, 'resolved', '{}', now() - n * interval '3 minutes', now()
       FROM generate_series(0, 59999) n`,
    `INSERT INTO vitals.alert (key, kind, severity, server_id, title, started_at, resolved_at, event_id)
     SELECT 'k' || n, 'server_down', 'critical', ${server}, 'a', now() - n * interval '1 hour',
       CASE WHEN n > 20 THEN now() - n * interval '1 hour' + interval '5 minutes' END, gen_random_uuid() FROM generate_series(0, 29999) n`,
    `INSERT INTO vitals.outbox (alert_id, transition, created_at, done_at)
     SELECT id, 'fire', started_at, CASE WHEN resolved_at IS NOT NULL THEN started_at END FROM vitals.alert`,
    `INSERT INTO vitals.told (alert_id, channel, group_key, last_at) SELECT id, 'ops', key, started_at FROM vitals.alert`,
    `INSERT INTO vitals.delivery (channel, group_key, message, transitions, created_at, next_attempt_at, sent_at)
     SELECT 'ops', key, '{}', '[]', started_at, started_at, resolved_at FROM vitals.alert`,
  ])
    await sql.unsafe(statement);
  await sql`ANALYZE`;
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
  // All of it was rolled up; then some more came.
  await sql`INSERT INTO vitals.rollup_watermark (rollup, system_identifier, next_xid, taken_at, backfill_done)
    SELECT r, system_identifier::text, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, now(), true
      FROM pg_control_system(), unnest(ARRAY['usage', 'health']) r`;
  await sql`INSERT INTO api_usage (server_id, path, method, status_code, response_time, requested_at)
    SELECT 's' || (n % 20), '/mcp', 'POST', 200, n % 900, now() - n * interval '1 second' FROM generate_series(1, 2000) n`;
  await sql`INSERT INTO mcp_server_health_check (server_id, status, response_time, checked_at)
    SELECT 's' || (n % 20), 'healthy', n % 900, now() - n * interval '1 second' FROM generate_series(1, 500) n`;
  await fillOwnTables();
  sizes = new Map();
  for (const { partitions } of await readPartitions(sql))
    for (const { name, fromMs, toMs } of partitions) {
      const [row] =
        await sql`SELECT reltuples::float8 AS rows FROM pg_class WHERE oid = ${`vitals_partitions.${name}`}::regclass`;
      sizes.set(name, { rows: row?.rows ?? 0, fromMs: fromMs ?? -Infinity, toMs: toMs ?? Infinity });
    }
  const others = await sql<{ name: string; rows: number }[]>`
    SELECT relname AS name, reltuples::float8 AS rows FROM pg_class
     WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'vitals'::regnamespace)`;
  for (const { name, rows } of others) sizes.set(name, { rows, fromMs: -Infinity, toMs: Infinity });
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

/** Tables that a query makes for itself, and cursors, are planned like what they are made of. */
const EXPLAINED = /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE|DECLARE|CREATE TEMP TABLE \w+ ON COMMIT DROP AS)\b/;

/** A database that explains each statement before it runs it. */
function explaining(db: Database, plans: PlanNode[]): Database {
  const recorder = {
    async execute(query: SQL) {
      const { sql: text, params } = dialect.sqlToQuery(query);
      if (EXPLAINED.test(text)) {
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
    expectIndexes(plans, nowMs, days);
  },
);

it('retention: what goes is found by an index, whatever the table', async () => {
  const plans: PlanNode[] = [];
  const nowMs = Date.now();
  const removed = new Map<string, number>();
  await sql
    .begin(async (tx) => {
      const session = new Proxy(tx, {
        get: (target, name) =>
          name !== 'unsafe'
            ? Reflect.get(target, name)
            : async (text: string) => {
                if (text.startsWith('WITH b AS (DELETE')) {
                  const [row] = await tx.unsafe(`EXPLAIN (FORMAT JSON) ${text}`);
                  plans.push(row?.['QUERY PLAN'][0].Plan);
                }
                return tx.unsafe(text);
              },
      });
      const result = await runRetention(session as unknown as Sql, {
        // Less than is there of every table, and no partition as a whole: that takes transactions of its own.
        days: {
          ...DEFAULT_SETTINGS,
          apiUsage: DAYS - 1,
          healthFailure: 3_650,
          usageHours: 1,
          usageDays: 32,
          healthMinutes: 0.1,
          healthHours: 10,
          healthDays: 100,
          deliveries: 300,
          alerts: 300,
          events: 100,
          usageEvents: 5,
        },
        rules: RETENTION_RULES_OF_TABLES,
        nowMs,
        findUntaken: (table) => findUntaken(connection.db, table),
        rowsAtMost: 20,
        batchRows: 10,
      });
      for (const { table, rows } of result) removed.set(table, (removed.get(table) ?? 0) + rows);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  expectIndexes(plans, nowMs, null);
  const none = [...removed].filter(([, rows]) => rows === 0).map(([table]) => table);
  // Nobody wrote to these here.
  expect(none).toEqual(['audit_log', 'rate_limit_violation', 'feature_flag_evaluation']);
});

function expectIndexes(plans: readonly PlanNode[], nowMs: number, days: number | null): void {
  expect(plans.length).toBeGreaterThan(0);
  const nodes = plans.flatMap((plan) => [...nodesOf(plan)]);
  for (const node of nodes) {
    const place = sizes.get(node['Relation Name'] ?? '');
    if (!place) continue;
    if (place.rows > SMALL_ROWS) expect(node['Node Type'], node['Relation Name']).not.toBe('Seq Scan');
    if (days !== null)
      expect(place.toMs, node['Relation Name']).toBeGreaterThan(nowMs - (days + 1) * 86_400_000);
  }
  // They did read one of the tables that this is about, or write to it.
  const tables = new Set(nodes.map((node) => node['Relation Name'] ?? ''));
  const isLarge = (name: string) => (sizes.get(name)?.rows ?? 0) > SMALL_ROWS;
  expect([...tables].some((name) => isLarge(name) || PARENTS.includes(name))).toBe(true);
}

it('has a million rows in partitions of several months', () => {
  const large = [...sizes.values()].filter(
    ({ rows, fromMs }) => rows > SMALL_ROWS && Number.isFinite(fromMs),
  );
  expect(large.length).toBeGreaterThan(25);
  expect(large.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(CALLS);
});
