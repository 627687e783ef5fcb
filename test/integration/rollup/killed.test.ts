import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { rollUpUsage } from '../../../src/db/rollup/usage/roll-up-usage.ts';
import { readWatermark } from '../../../src/db/rollup/watermark.ts';
import { eventually } from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { insertTraffic, registerTraffic, type Traffic } from '../../support/traffic.ts';
import { forgetUsage, readUsageState } from '../../support/usage-state.ts';

const program = fileURLToPath(new URL('../../fixtures/rolling-up-child.ts', import.meta.url));
const loader = new URL('../../support/typescript-loader.mjs', import.meta.url).href;
const TRAFFIC: Traffic = { rows: 200, days: 0.5, servers: 4, tenants: 2, tokens: 10, seed: 0 };

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 4 });
  db = connection.db;
  await registerTraffic(db, TRAFFIC);
  await db.execute(
    sql`INSERT INTO mcp_tool (server_id, name, created_at, updated_at) SELECT id, 'search', now(), now() FROM mcp_server`,
  );
  await insertTraffic(db, { ...TRAFFIC, seed: 0.9 });
  await rollUp();
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

const rollUp = async () => {
  await awaitOtherTransactions(db);
  return rollUpUsage(db, {
    policy: { objective: DEFAULT_POLICY.slo.objective, latency: DEFAULT_POLICY.latency },
    graceMs: 48 * 3_600_000,
  });
};

/** Starts a run in a process of its own, and ends it where it writes to a table: the process, or its connection. */
async function endRunAt(table: string, how: 'process' | 'connection'): Promise<void> {
  let pid = 0;
  await db.transaction(async (tx) => {
    await tx.execute(sql`LOCK TABLE ${sql.raw(table)} IN SHARE MODE`);
    // A lost connection ends it with an error: here that is the point.
    const child = spawn(process.execPath, ['--import', loader, program, database.url], { stdio: 'ignore' });
    const ended = once(child, 'close');
    pid = await eventually(`a run that waits for ${table}`, async () => {
      const [row] = await db.execute<{ pid: number }>(sql`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND wait_event_type = 'Lock'`);
      return row?.pid;
    });
    if (how === 'process') child.kill('SIGKILL');
    else await db.execute(sql`SELECT pg_terminate_backend(${pid})`);
    expect(await ended).not.toEqual([0, null]);
  });
  await eventually('the end of its session', async () => {
    const rows = await db.execute(sql`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`);
    return rows.length === 0 ? true : undefined;
  });
}

const stateAndMark = async () => ({
  ...(await readUsageState(db)),
  nextXid: (await readWatermark(db, 'usage'))?.nextXid,
});

test('a run that is killed or loses its connection has taken nothing, and the next one takes everything once', async () => {
  // In the order in which a run comes to them.
  const ends = [
    ['vitals.usage_bucket', 'process'],
    ['vitals.usage_counted', 'connection'],
    ['mcp_server', 'process'],
    ['mcp_tool', 'connection'],
    ['tenant_usage', 'connection'],
    ['system_event', 'process'],
  ] as const;
  for (const [place, [table, how]] of ends.entries()) {
    await insertTraffic(db, { ...TRAFFIC, seed: place / 10 });
    await awaitOtherTransactions(db);
    const before = await stateAndMark();
    await endRunAt(table, how);
    expect(await stateAndMark()).toEqual(before);
  }
  expect(await rollUp()).toMatchObject({ taken: TRAFFIC.rows * ends.length });
  const state = await readUsageState(db);
  await forgetUsage(db);
  await rollUp();
  expect(state).toEqual(await readUsageState(db));
}, 120_000);
