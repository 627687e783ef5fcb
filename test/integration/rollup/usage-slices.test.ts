import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { rollUpUsage } from '../../../src/db/rollup/usage/roll-up-usage.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { insertTraffic, registerTraffic, type Traffic } from '../../support/traffic.ts';

const TRANSACTIONS = 6;
const ROWS = 200;
const TRAFFIC: Traffic = { rows: ROWS, days: 1.5, servers: 6, tenants: 2, tokens: 20, seed: 0.5 };
const OPTIONS = {
  policy: { objective: DEFAULT_POLICY.slo.objective, latency: DEFAULT_POLICY.latency },
  graceMs: 48 * 3_600_000,
};

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;

beforeEach(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 4 });
  db = connection.db;
  await registerTraffic(db, TRAFFIC);
  for (let part = 0; part < TRANSACTIONS; part += 1) await insertTraffic(db, { ...TRAFFIC, seed: part / 10 });
  await awaitOtherTransactions(db);
});
afterEach(async () => {
  await connection.close();
  await database.close();
});

/** Rolls up in slices of about so many calls, and says how many each had. */
async function rollUp(sliceRows: number, on: Database = db): Promise<number[]> {
  const slices: number[] = [];
  await rollUpUsage(on, { ...OPTIONS, sliceRows }, ({ taken }) => {
    if (taken > 0) slices.push(taken);
  });
  return slices;
}
const buckets = async () => [
  ...(await db.execute(sql`SELECT * FROM vitals.usage_bucket ORDER BY period, period_start, kind, key`)),
];
const counted = async () => {
  const [row] = await db.execute<{ calls: number; ofServers: number }>(sql`
    SELECT coalesce(sum(requests), 0)::int AS calls, (SELECT sum(request_count)::int FROM mcp_server) AS "ofServers"
    FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`);
  return row;
};
const ALL = TRANSACTIONS * ROWS;

test('many calls are taken in slices of whole transactions, and are what they are when taken at once', async () => {
  expect(await rollUp(2 * ROWS)).toEqual([2 * ROWS, 2 * ROWS, 2 * ROWS]);
  const inSlices = await buckets();
  expect(await counted()).toEqual({ calls: ALL, ofServers: ALL });
  await db.execute(sql`TRUNCATE vitals.usage_bucket, vitals.rollup_watermark, api_usage_stats`);
  expect(await rollUp(ALL)).toEqual([ALL]);
  expect(await buckets()).toEqual(inSlices);
});

test('a transaction that is more than a slice is one all the same', async () => {
  expect(await rollUp(ROWS / 10)).toEqual(Array.from({ length: TRANSACTIONS }, () => ROWS));
});

test('a slice that fails takes those behind it along, and none that was stored; the next run goes on', async () => {
  for (const failsAt of [4, 60, 90]) {
    let transactions = 0;
    const failing = new Proxy(db, {
      get: (target, name) => {
        if (name !== 'transaction') return Reflect.get(target, name);
        return (work: (tx: object) => Promise<unknown>) => {
          transactions += 1;
          const fails = transactions === 2;
          let statements = 0;
          return target.transaction((tx) =>
            work({
              execute(statement: Parameters<typeof tx.execute>[0]) {
                statements += 1;
                return tx.execute(fails && statements === failsAt ? sql`SELECT 1 / 0` : statement);
              },
            }),
          );
        };
      },
    });
    await expect(rollUp(ROWS, failing)).rejects.toThrow();
    expect(await counted()).toEqual({ calls: ROWS, ofServers: ROWS });
    await rollUp(ROWS);
    expect(await counted()).toEqual({ calls: ALL, ofServers: ALL });
    await db.execute(sql`TRUNCATE vitals.usage_bucket, vitals.rollup_watermark, api_usage_stats`);
    await db.execute(sql`UPDATE mcp_server SET request_count = 0`);
  }
});

test('replicas at once take each call once, in whatever slices', async () => {
  const taken = await Promise.all([rollUp(ROWS), rollUp(2 * ROWS), rollUp(ROWS)]);
  await rollUp(ROWS);
  expect(taken.flat().length).toBeGreaterThan(0);
  expect(await counted()).toEqual({ calls: ALL, ofServers: ALL });
});
