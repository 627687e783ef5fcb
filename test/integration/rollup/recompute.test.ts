import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { recomputeUsageDay } from '../../../src/db/rollup/usage/recompute.ts';
import { rollUpUsage } from '../../../src/db/rollup/usage/roll-up-usage.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { insertTraffic, registerTraffic, type Traffic } from '../../support/traffic.ts';
import { forgetUsage, readUsageState, type UsageState } from '../../support/usage-state.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;
const POLICY = { objective: DEFAULT_POLICY.slo.objective, latency: DEFAULT_POLICY.latency };
const TRAFFIC: Traffic = { rows: 2_000, days: 1.5, servers: 6, tenants: 4, tokens: 30, seed: 0.5 };

beforeEach(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 4 });
  db = connection.db;
  await registerTraffic(db, TRAFFIC);
  await db.execute(
    sql`INSERT INTO mcp_tool (server_id, name, created_at, updated_at) SELECT id, 'search', now(), now() FROM mcp_server`,
  );
  await insertTraffic(db, TRAFFIC);
  await rollUp();
});
afterEach(async () => {
  await connection.close();
  await database.close();
});

async function rollUp() {
  await awaitOtherTransactions(db);
  return rollUpUsage(db, { policy: POLICY, graceMs: 3_600_000 });
}
async function recompute(dryRun = false): Promise<number> {
  const days = await db.execute<{ ms: number }>(
    sql`SELECT DISTINCT extract(epoch FROM date_trunc('day', requested_at, 'UTC'))::float8 * 1000 AS ms FROM api_usage`,
  );
  let changed = 0;
  for (const { ms } of days) {
    const day = await recomputeUsageDay(db, { fromMs: ms, policy: POLICY, dryRun });
    changed += day?.changed ?? 0;
  }
  return changed;
}
/** Calls like those that are there, of the same servers and days, later than the grace of an hour: no run takes them. */
const insertLate = async () => {
  await rollUp();
  await rollUp();
  const columns = sql.raw(`token_id, user_id, tenant_id, server_id, path, method, status_code, response_time,
    request_size, response_size, ip_address, user_agent, metadata, requested_at`);
  await db.execute(sql`INSERT INTO api_usage (${columns}) SELECT ${columns} FROM api_usage
    WHERE requested_at < now() - interval '3 hours' AND server_id IN ('server-0', 'server-3') ORDER BY id LIMIT 100`);
  expect(await rollUp()).toMatchObject({ taken: 0, setAside: { late: 100 } });
};
/** The versions of all rows that recomputing may touch: another one for each row that was written. */
const versions = async () =>
  (
    await db.execute<{ all: string }>(sql`SELECT json_agg(v ORDER BY v)::text AS all FROM (
      ${sql.join(
        [
          'mcp_server',
          'mcp_tool',
          'tenant',
          'tenant_usage',
          'api_usage_stats',
          'system_event',
          'vitals.usage_bucket',
          'vitals.usage_counted',
          'vitals.tool_time',
        ].map((table) => sql.raw(`SELECT '${table} ' || ctid || ' ' || xmin AS v FROM ${table}`)),
        sql` UNION ALL `,
      )}) rows`)
  )[0]?.all;

test('what calls became since they were counted is followed by statistics, counters, tenants and events', async () => {
  await insertLate();
  // Others' calls, other statuses and times, and a tenant whose calls were all another's.
  const older = sql`requested_at < now() - interval '5 hours'`;
  await db.execute(sql`UPDATE api_usage SET tenant_id = 'tenant-1' WHERE tenant_id = 'tenant-2'`);
  await db.execute(
    sql`UPDATE api_usage SET server_id = 'server-5' WHERE server_id = 'server-1' AND ${older}`,
  );
  await db.execute(sql`UPDATE api_usage SET status_code = 503 WHERE server_id = 'server-0' AND status_code = 200
    AND path LIKE '%/search'`);
  await db.execute(sql`UPDATE api_usage SET response_time = response_time + 7 WHERE metadata IS NOT NULL`);
  const before = await readUsageState(db);
  const announced = await recompute(true);
  expect(await readUsageState(db)).toEqual(before);
  expect(await recompute()).toBe(announced);
  const recomputed = await readUsageState(db);
  for (const part of ['servers', 'tools', 'tenants', 'events', 'statistics'] as const)
    expect(recomputed[part], part).not.toEqual(before[part]);
  // A dry run undoes each day, so that later ones are told against what is stored.
  expect(announced).toBeGreaterThan(20);

  await forgetUsage(db);
  await rollUp();
  // When a server was used last is not known to be less: gateways write it, too.
  const used = (rows: unknown[]) => rows.map((row) => ({ ...(row as object), last_used_at: null }));
  const comparable = (state: UsageState) => ({
    ...state,
    servers: used(state.servers),
    tools: used(state.tools),
  });
  expect(comparable(recomputed)).toEqual(comparable(await readUsageState(db)));
});

test('where nothing changed no row is written, whatever the day', async () => {
  const before = await versions();
  expect(await recompute()).toBe(0);
  expect(await versions()).toBe(before);
});

test('what a release counted that took no notes stays in the counters, and is noted', async () => {
  await db.execute(sql`DELETE FROM vitals.usage_counted WHERE server_id <> 'server-3'`);
  const counts = async () => {
    const rows = await db.execute<{ id: string; n: number; tool: number }>(sql`
      SELECT m.id, m.request_count AS n, t.call_count AS tool FROM mcp_server m JOIN mcp_tool t ON t.server_id = m.id`);
    return Object.fromEntries(rows.map(({ id, n, tool }) => [id, { n, tool }]));
  };
  const before = await counts();
  await insertLate();
  expect(await recompute()).toBeGreaterThan(0);
  const after = await counts();
  expect({ ...after, 'server-3': null }).toEqual({ ...before, 'server-3': null });
  const [known] = await db.execute<{ n: number }>(
    sql`SELECT count(*)::int AS n FROM api_usage WHERE server_id = 'server-3'`,
  );
  expect(after['server-3']?.n).toBe(known?.n);
  expect(known?.n).toBeGreaterThan(before['server-3']?.n ?? 0);
  // From now on it is known what the counters hold.
  await insertLate();
  await recompute();
  const sum = (state: Record<string, { n: number }>) =>
    Object.values(state).reduce((total, { n }) => total + n, 0);
  expect(sum(await counts())).toBe(sum(after) + 100);
  expect(await recompute()).toBe(0);
});
