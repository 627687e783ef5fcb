import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { rollUpUsage } from '../../../src/db/rollup/usage/roll-up-usage.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { registerTraffic } from '../../support/traffic.ts';
import { compareWithGroupBy, forgetUsage, readUsageState } from '../../support/usage-state.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;
const HOUR_MS = 3_600_000;
/** Nothing is as new as minutes are made of, nothing as late as the grace. */
const [NEWEST_MS, OLDEST_MS] = [4 * HOUR_MS, 40 * HOUR_MS];
const NOW_MS = Date.now();

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  db = connection.db;
  await registerTraffic(db, { rows: 0, days: 1, servers: 3, tenants: 2, tokens: 1, seed: 0 });
  await db.execute(
    sql`INSERT INTO mcp_tool (server_id, name, created_at, updated_at) SELECT id, 'search', now(), now() FROM mcp_server`,
  );
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

interface Call {
  ageMs: number;
  server: string;
  tenant: string | null;
  user: string | null;
  token: string | null;
  path: string;
  status: number;
  responseMs: number | null;
  bytes: number | null;
  address: string | null;
  tool: string | null;
}
const callOf: fc.Arbitrary<Call> = fc.record({
  ageMs: fc.integer({ min: NEWEST_MS, max: OLDEST_MS }),
  server: fc.constantFrom('server-0', 'server-1', 'server-2'),
  tenant: fc.constantFrom('tenant-0', 'tenant-1', null),
  user: fc.constantFrom('u', 'v', null),
  token: fc.constantFrom('7a1b0b52-58c4-4b2e-9d0c-6c8bfb1f0a01', null),
  path: fc.constantFrom('/mcp', '/v1/tools/call', '/v1/tools/search', '/v1/7/12345', '(other)', '/mcp?x=1'),
  status: fc.constantFrom(200, 204, 302, 404, 500, 503),
  responseMs: fc.option(fc.integer({ min: 0, max: 60_000 })),
  bytes: fc.option(fc.integer({ min: 0, max: 5_000 })),
  address: fc.constantFrom('203.0.113.1', '203.0.113.2', '2001:db8::1', null),
  tool: fc.constantFrom('search', 'unknown', null),
});

/** More paths than a bucket has names for, in one hour of one server, each called some times. */
const manyPaths: Call[] = Array.from({ length: 260 }, (_, place) => ({
  ageMs: 10 * HOUR_MS,
  server: 'server-0',
  tenant: 'tenant-0',
  user: 'u',
  token: null,
  path: `/v1/${'x'.repeat((place * 7) % 5)}${String.fromCharCode(97 + (place % 26))}${(place * 37) % 130}y`,
  status: place % 9 === 0 ? 500 : 200,
  responseMs: place * 11,
  bytes: place,
  address: '203.0.113.1',
  tool: null,
}));

async function takeInBatches(batches: readonly (readonly Call[])[]): Promise<void> {
  await db.execute(sql`DELETE FROM api_usage`);
  await forgetUsage(db);
  for (const batch of batches) {
    await db.execute(sql`
      INSERT INTO api_usage (server_id, tenant_id, user_id, token_id, path, method, status_code, response_time,
        request_size, ip_address, metadata, requested_at)
      SELECT server, tenant, "user", token, path, 'POST', status, "responseMs", bytes, address,
        CASE WHEN tool IS NOT NULL THEN json_build_object('custom', json_build_object('tool', tool)) END,
        to_timestamp((${NOW_MS}::float8 - "ageMs") / 1000)
      FROM json_to_recordset(${JSON.stringify(batch)}::json) AS r(server text, tenant text, "user" text, token uuid,
        path text, status int, "responseMs" int, bytes int, address text, tool text, "ageMs" float8)`);
    await awaitOtherTransactions(db);
    await rollUpUsage(db, {
      policy: { objective: DEFAULT_POLICY.slo.objective, latency: DEFAULT_POLICY.latency },
      graceMs: 48 * HOUR_MS,
    });
  }
}

/** Paths of buckets that are not what one GROUP BY gives: the hundred shortest by name, the others in sum. */
const wrongPaths = () =>
  db.execute(sql`
    WITH named AS (
      SELECT date_trunc('day', requested_at, 'UTC') AS start, server_id AS key,
        regexp_replace(split_part(path, '?', 1), '/[0-9]+(?=/|$)', '/:id', 'g') AS path, count(*) AS n,
        count(*) FILTER (WHERE status_code >= 400) AS errors, coalesce(sum(response_time), 0) AS time_sum, count(response_time) AS timed
      FROM api_usage GROUP BY 1, 2, 3),
    ranked AS (
      SELECT *, row_number() OVER (PARTITION BY start, key ORDER BY path = '(other)', length(path), path COLLATE "C") AS place FROM named),
    wanted AS (
      SELECT start, key, CASE WHEN place <= 100 THEN path ELSE '(other)' END AS path, sum(n) AS n, sum(errors) AS errors,
        sum(time_sum) AS time_sum, sum(timed) AS timed FROM ranked GROUP BY 1, 2, 3)
    SELECT * FROM wanted w FULL JOIN (
      SELECT u.period_start AS start, u.key, e.key AS path, e.value FROM vitals.usage_bucket u, jsonb_each(u.endpoints) e
      WHERE period = 'day' AND kind = 'server') b(start, key, path, value) USING (start, key, path)
    WHERE jsonb_build_array(w.n, w.errors, w.time_sum, w.timed) IS DISTINCT FROM b.value`);

test('any order and any batching of the same calls gives the statistics of one GROUP BY over all of them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(callOf, { maxLength: 40 }),
      fc.boolean(),
      // Any but 0 puts the places of up to 1,008 calls into another order.
      fc.integer({ min: 1, max: 1_008 }),
      fc.array(fc.nat(300), { maxLength: 3 }),
      async (some, withManyPaths, factor, cuts) => {
        const calls = [...some, ...(withManyPaths ? manyPaths : [])];
        await takeInBatches([calls]);
        expect(await compareWithGroupBy(db)).toEqual([]);
        expect([...(await wrongPaths())]).toEqual([]);
        const whole = await readUsageState(db);
        const shuffled = calls
          .map((call, place) => ({ call, order: ((place + 1) * factor) % 1_009 }))
          .sort((one, other) => one.order - other.order)
          .map(({ call }) => call);
        const ends = [...cuts.map((cut) => cut % (calls.length + 1)).sort((x, y) => x - y), calls.length];
        await takeInBatches(ends.map((end, place) => shuffled.slice(ends[place - 1] ?? 0, end)));
        expect(await readUsageState(db)).toEqual(whole);
      },
    ),
    // One with more paths than names, whatever the seed.
    // Making it smaller would take longer than a test may.
    { numRuns: 5, endOnFailure: true, examples: [[[], true, 331, [90, 150]]] },
  );
});
