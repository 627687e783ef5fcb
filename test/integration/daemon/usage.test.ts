import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase } from '../../../src/db/client.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';
import { recordCalls } from '../../support/usage.ts';

let database: TestDatabase;
let daemon: TestDaemon;

beforeAll(async () => {
  await clearQueue();
  database = await createTestDatabase();
  const { db, close } = connectDatabase(database.url, { poolSize: 1 });
  await registerServer(db, { id: 'used' });
  await recordCalls(db, 'used', { 200: 18, 500: 2 });
  await recordCalls(db, 'used', { 42: 1 });
  await db.execute(sql`
    INSERT INTO mcp_server_health_check (id, server_id, status, response_time, checked_at)
    SELECT gen_random_uuid(), 'used', CASE n WHEN 1 THEN 'timeout' ELSE 'healthy' END, CASE n WHEN 0 THEN -5 ELSE 20 END,
      now() - interval '3 days' FROM generate_series(0, 7) n`);
  await close();
  daemon = await startTestDaemon(testConfig(database.url));
});
afterAll(async () => {
  await daemon.stop();
  await database.close();
});

test('the daemon rolls usage up, and shows what it took', async () => {
  const used = await eventually(
    'the calls of the server',
    async () => {
      const [row] = await daemon.db.execute<{ requests: number; errors: number }>(sql`
        SELECT total_requests AS requests, total_errors AS errors FROM api_usage_stats
        WHERE server_id = 'used' AND period_type = 'month'`);
      return row;
    },
    // A transaction of another test file may hold the first run up.
    100_000,
  );
  expect(used).toEqual({ requests: 20, errors: 2 });
  const metrics = await eventually('the metrics of the run', async () => {
    const text = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
    return text.includes('mcp_usage_rows_total{result="taken"} 20') ? text : undefined;
  });
  expect(metrics).toContain('mcp_usage_rows_total{result="status"} 1');
}, 120_000);

test('the daemon takes health checks into the tiers, and shows what it set aside', async () => {
  const day = await eventually(
    'the tiers of the server',
    async () => {
      const [row] = await daemon.db.execute<{ up: number; down: number }>(sql`
        SELECT up, down FROM vitals.health_day WHERE server_id = 'used' AND at < now() - interval '2 days'`);
      return row;
    },
    100_000,
  );
  expect(day).toEqual({ up: 6, down: 1 });
  const [hour] = await daemon.db.execute(sql`SELECT counted, healthy, responses FROM vitals.health_hour
    WHERE server_id = 'used' AND at < now() - interval '2 days'`);
  expect(hour).toEqual({ counted: 7, healthy: 6, responses: 7 });
  await eventually('the metric of what was set aside', async () => {
    const text = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
    return text.includes('mcp_health_checks_set_aside_total{why="bad_response_time"} 1') ? true : undefined;
  });
}, 120_000);
