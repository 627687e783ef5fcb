import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { quantileOf, SKETCH_ERROR } from '../../../src/core/sketch/latency-sketch.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { recomputeUsageDay } from '../../../src/db/rollup/usage/recompute.ts';
import { rollUpUsage } from '../../../src/db/rollup/usage/roll-up-usage.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { insertTraffic, registerTraffic, type Traffic } from '../../support/traffic.ts';
import { compareWithGroupBy } from '../../support/usage-state.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;
const POLICY = { objective: DEFAULT_POLICY.slo.objective, latency: DEFAULT_POLICY.latency };
const OPTIONS = { policy: POLICY, graceMs: 48 * 3_600_000 };
const TRAFFIC: Traffic = { rows: 6_000, days: 1.5, servers: 12, tenants: 4, tokens: 30, seed: 0.5 };

beforeEach(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 4 });
  db = connection.db;
  await registerTraffic(db, TRAFFIC);
});
afterEach(async () => {
  await connection.close();
  await database.close();
});

async function rollUp() {
  await awaitOtherTransactions(db);
  return rollUpUsage(db, OPTIONS);
}
/** Every bucket that does not depend on when it was made, without an order of its own. */
const buckets = () =>
  db.execute(sql`SELECT * FROM vitals.usage_bucket WHERE period IN ('day', 'week', 'month')
    OR (period = 'hour' AND kind IN ('all', 'server', 'tenant')) ORDER BY period, period_start, kind, key`);
const one = async (statement: ReturnType<typeof sql>) => (await db.execute(statement))[0];

describe('usage', () => {
  test('taken in batches is what one GROUP BY over all of it gives, for every period and kind', async () => {
    // Their order is another one, and each batch is stored while older ones are there already.
    for (const seed of [0.1, 0.7, 0.3]) {
      await insertTraffic(db, { ...TRAFFIC, rows: 2_000, seed });
      await rollUp();
    }
    expect(await compareWithGroupBy(db)).toEqual([]);
    const batches = [...(await buckets())];
    // All of it at once, as if it had never been taken.
    await db.execute(sql`TRUNCATE vitals.usage_bucket, vitals.rollup_watermark, api_usage_stats`);
    expect(await rollUp()).toMatchObject({ taken: 6_000, setAside: {} });
    expect([...(await buckets())]).toEqual(batches);
  });

  test('has quantiles of a month within the sketch’s error', async () => {
    await insertTraffic(db, TRAFFIC);
    await rollUp();
    const rows = await db.execute<{ sketch: string[]; exact: number[] }>(sql`
      SELECT b.sketch, (SELECT array_agg(x) FROM (SELECT unnest(percentile_disc(ARRAY[0.5, 0.95, 0.99])
        WITHIN GROUP (ORDER BY response_time)) x FROM api_usage u
        WHERE date_trunc('month', requested_at, 'UTC') = b.period_start AND u.server_id = b.key) q)::float8[] AS exact
      FROM vitals.usage_bucket b WHERE b.period = 'month' AND b.kind = 'server'`);
    expect(rows.length).toBeGreaterThan(5);
    for (const { sketch, exact } of rows)
      [0.5, 0.95, 0.99].forEach((share, place) => {
        const value = quantileOf(sketch.map(Number), share) ?? Number.NaN;
        const wanted = exact[place] ?? Number.NaN;
        expect(Math.abs(value - wanted)).toBeLessThanOrEqual(wanted * SKETCH_ERROR + 1e-6);
      });
  });

  test('counts in the rows of servers, tools and tenants, and tells of it in events', async () => {
    await db.execute(
      sql`INSERT INTO mcp_tool (server_id, name, created_at, updated_at) VALUES ('server-0', 'search', now(), now())`,
    );
    await db.execute(sql`UPDATE tenant SET max_api_calls = 100, max_servers = 3, max_users = 5`);
    await insertTraffic(db, { ...TRAFFIC, days: 0.05 });
    await rollUp();
    expect(
      await one(sql`SELECT count(*)::int AS wrong FROM mcp_server m JOIN (SELECT server_id, count(*)::int AS n,
        (count(*) FILTER (WHERE status_code >= 400))::int AS errors, max(requested_at) AS last FROM api_usage GROUP BY 1) u
        ON u.server_id = m.id WHERE (m.request_count, m.error_count, m.last_used_at) IS DISTINCT FROM (u.n, u.errors, u.last)`),
    ).toEqual({ wrong: 0 });
    expect(
      await one(sql`SELECT call_count = (SELECT count(*) FROM api_usage WHERE server_id = 'server-0'
      AND (path LIKE '%/tools/search' OR metadata IS NOT NULL)) AS same FROM mcp_tool`),
    ).toEqual({ same: true });
    expect(
      await one(sql`SELECT count(*)::int AS wrong FROM tenant t WHERE current_month_api_calls <>
      (SELECT count(*) FROM api_usage u WHERE u.tenant_id = t.id AND requested_at >= date_trunc('month', now(), 'UTC'))`),
    ).toEqual({ wrong: 0 });
    const events = await db.execute<{ n: number; kind: string }>(sql`
      SELECT resource_type AS kind, count(*)::int AS n FROM system_event WHERE type = 'usage.rollup' GROUP BY 1 ORDER BY 1`);
    const [hours] = await db.execute<{ n: number }>(
      sql`SELECT count(DISTINCT (server_id, date_trunc('hour', requested_at)))::int AS n FROM api_usage`,
    );
    expect(events.find(({ kind }) => kind === 'mcp_server')?.n).toBe(hours?.n);
    expect(events.map(({ kind }) => kind)).toEqual(['fleet', 'mcp_server', 'tenant']);
    const [fleet] = await db.execute<{ data: Record<string, unknown>; severity: string; category: string }>(
      sql`SELECT data, severity, category FROM system_event WHERE type = 'usage.rollup' AND resource_type = 'fleet' ORDER BY occurred_at DESC`,
    );
    expect(fleet).toMatchObject({ severity: 'warning', category: 'performance' });
    expect(Object.keys(fleet?.data ?? {}).sort()).toEqual([
      'broken',
      'bytes',
      'change',
      'errorRate',
      'errors',
      'p50Ms',
      'p95Ms',
      'p99Ms',
      'period',
      'periodStart',
      'requests',
      'serverErrorRate',
      'topEndpoints',
      'uniqueClients',
    ]);
    const quotas = await db.execute<{ quota: string; percent: number; n: number }>(sql`
      SELECT data->>'quota' AS quota, (data->>'percent')::int AS percent, count(*)::int AS n FROM system_event
      WHERE type = 'usage.quota' GROUP BY 1, 2 ORDER BY 1, 2`);
    await rollUp();
    expect([...quotas]).toEqual([
      { quota: 'max_api_calls', percent: 80, n: 4 },
      { quota: 'max_api_calls', percent: 100, n: 4 },
      { quota: 'max_servers', percent: 80, n: 4 },
      { quota: 'max_servers', percent: 100, n: 4 },
    ]);
    expect(await one(sql`SELECT count(*)::int AS n FROM system_event WHERE type = 'usage.quota'`)).toEqual({
      n: 16,
    });
  });

  test('is a warning where an hour was much slower than the one before, with enough calls in both', async () => {
    const hour = sql`to_timestamp(${Math.floor(Date.now() / 3_600_000) * 3_600}::float8)`;
    const call = (server: string, hoursAgo: number, responseMs: number, calls: number) =>
      db.execute(sql`INSERT INTO api_usage (server_id, path, method, status_code, response_time, requested_at)
        SELECT ${server}, '/', 'GET', 200, ${responseMs}::int,
          ${hour} - ${hoursAgo}::int * interval '1 hour' + n * interval '1 second'
        FROM generate_series(1, ${calls}::int) n`);
    const { minSamples, slowFactor, slowAtLeastMs } = POLICY.latency;
    // Slower by the factor and by the least time: 300 ms after 100 ms.
    const before = slowAtLeastMs / (slowFactor - 1);
    const slow = Math.ceil(before * slowFactor * 1.05);
    await call('server-0', 3, before, minSamples);
    await call('server-0', 2, slow, minSamples);
    await call('server-1', 3, before, minSamples);
    await call('server-1', 2, Math.floor(before * slowFactor * 0.9), minSamples);
    await call('server-2', 3, before, minSamples - 1);
    await call('server-2', 2, slow, minSamples);
    await call('server-3', 3, 2, minSamples);
    await call('server-3', 2, 2 * slowFactor * 2, minSamples);
    await rollUp();
    const rows = await db.execute<{ id: string; severity: string; broken: string[] }>(sql`
      SELECT resource_id AS id, severity, data->'broken' AS broken FROM system_event WHERE type = 'usage.rollup'
        AND resource_type = 'mcp_server' AND occurred_at = ${hour} - interval '2 hours' ORDER BY 1`);
    expect(rows.map(({ id, severity, broken }) => [id, severity, broken])).toEqual([
      ['server-0', 'warning', ['latency']],
      ['server-1', 'info', []],
      ['server-2', 'info', []],
      ['server-3', 'info', []],
    ]);
    // The hour before comes to be slow itself: then nothing was slower than it.
    await call('server-0', 3, slow, 10 * minSamples);
    await rollUp();
    expect(
      await one(sql`SELECT severity FROM system_event WHERE type = 'usage.rollup' AND resource_id = 'server-0'
        AND occurred_at = ${hour} - interval '2 hours'`),
    ).toEqual({ severity: 'info' });
  });

  test('has minutes of two hours, and hours of users and tokens of two days', async () => {
    const call = (minutesAgo: number) =>
      db.execute(sql`INSERT INTO api_usage (server_id, user_id, token_id, path, method, status_code, requested_at)
        VALUES ('server-0', 'u', '7a1b0b52-58c4-4b2e-9d0c-6c8bfb1f0a01', '/', 'GET', 200,
          now() - ${minutesAgo}::int * interval '1 minute')`);
    const kept = async () =>
      one(sql`SELECT count(*) FILTER (WHERE period_type = 'minute')::int AS minutes,
        count(*) FILTER (WHERE period_type = 'hour' AND (user_id IS NOT NULL OR token_id IS NOT NULL))::int AS each,
        count(*) FILTER (WHERE period_type = 'day' AND user_id IS NOT NULL)::int AS days,
        count(*)::int - (SELECT count(*) FROM vitals.usage_bucket)::int AS others FROM api_usage_stats`);
    for (const minutesAgo of [10, 150, 10 * 60, 4 * 24 * 60]) await call(minutesAgo);
    await rollUp();
    // Of all, the server, the user and the token: the first call alone is young enough.
    const young = await kept();
    expect(young).toMatchObject({ minutes: 4, others: 0 });
    expect(young?.each).toBeGreaterThanOrEqual(4);
    // As they are some hours, or days, later.
    for (const [period, age] of [
      ['minute', '2 hours'],
      ['hour', '48 hours'],
    ]) {
      await db.execute(sql`DELETE FROM api_usage_stats WHERE period_type = ${period}`);
      await db.execute(
        sql`UPDATE vitals.usage_bucket SET period_start = period_start - ${age}::interval WHERE period = ${period}`,
      );
    }
    await db.execute(sql`INSERT INTO api_usage_stats (id, period_type, period_start, period_end, user_id, created_at, updated_at)
      SELECT md5('mcp-vitals usage ' || period || ' ' || kind || ' ' || extract(epoch FROM period_start)::bigint || ' ' || key)::uuid,
        period, period_start, period_start, CASE WHEN kind IN ('user', 'token') THEN 'u' END, now(), now()
      FROM vitals.usage_bucket WHERE period IN ('minute', 'hour')`);
    expect(await kept()).toMatchObject({ minutes: 4, each: young?.each, others: 0 });
    await rollUp();
    expect(await kept()).toEqual({ minutes: 0, each: 0, days: young?.days, others: 0 });
  });

  test('sets bad rows aside, tells of them, and goes on with the rest', async () => {
    await insertTraffic(db, { ...TRAFFIC, rows: 200 });
    for (const change of [
      sql`response_time = -1`,
      sql`response_time = 2000000000`,
      sql`server_id = NULL`,
      sql`tenant_id = 'nobody'`,
      sql`status_code = 42`,
      sql`status_code = 600`,
      sql`requested_at = now() + interval '1 day'`,
      sql`requested_at = to_timestamp(0)`,
      sql`requested_at = 'infinity'`,
    ])
      await db.execute(sql`UPDATE api_usage SET ${change} WHERE id = (SELECT id FROM api_usage
        WHERE response_time BETWEEN 0 AND 100000 AND server_id IS NOT NULL AND tenant_id <> 'nobody'
        AND status_code BETWEEN 100 AND 599 AND requested_at BETWEEN '2001-01-01' AND now() LIMIT 1)`);
    const wanted = { no_server: 1, status: 2, response_time: 2, future: 2, ancient: 1, tenant: 1 };
    expect(await rollUp()).toMatchObject({ taken: 191, setAside: wanted });
    const rows = await db.execute<{ problem: string; rows: number }>(
      sql`SELECT data->>'problem' AS problem, (data->>'rows')::int AS rows FROM system_event WHERE type = 'usage.set_aside'`,
    );
    expect(Object.fromEntries(rows.map(({ problem, rows }) => [problem, rows]))).toEqual(wanted);
  });

  test('that is late amends its period within the grace, and is counted and told of beyond it', async () => {
    await insertTraffic(db, { ...TRAFFIC, rows: 200, days: 0.01 });
    await rollUp();
    await rollUp();
    const late = (hours: number) =>
      db.execute(sql`INSERT INTO api_usage (server_id, path, method, status_code, requested_at)
      VALUES ('server-0', '/', 'GET', 200, now() - ${hours}::int * interval '1 hour')`);
    await late(47);
    await late(50);
    expect(await rollUp()).toMatchObject({ taken: 1, setAside: { late: 1 } });
    expect(
      await one(
        sql`SELECT sum(requests)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      ),
    ).toEqual({ n: 201 });
    // Whoever wants it all the same recomputes that day.
    const [day] = await db.execute<{ ms: number }>(
      sql`SELECT extract(epoch FROM date_trunc('day', min(requested_at), 'UTC'))::float8 * 1000 AS ms FROM api_usage`,
    );
    expect(
      (await recomputeUsageDay(db, { fromMs: day?.ms ?? 0, policy: POLICY, dryRun: false }))?.changed,
    ).toBeGreaterThan(0);
    expect(
      await one(
        sql`SELECT sum(requests)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      ),
    ).toEqual({ n: 202 });
  });
});

describe('a run that fails', () => {
  test('by an error at any statement leaves nothing behind, and the next one gives the same', async () => {
    await insertTraffic(db, { ...TRAFFIC, rows: 400 });
    await awaitOtherTransactions(db);
    /** The database, whose transactions fail at the statement of this number. */
    const failing = (at: number, seen: { statements: number }): Database =>
      new Proxy(db, {
        get: (target, name) =>
          name !== 'transaction'
            ? Reflect.get(target, name)
            : (work: (tx: object) => Promise<unknown>) =>
                target.transaction((tx) =>
                  work({
                    execute(statement: Parameters<typeof tx.execute>[0]) {
                      seen.statements += 1;
                      if (seen.statements === at) return tx.execute(sql`SELECT 1 / 0`);
                      return tx.execute(statement);
                    },
                  }),
                ),
      });
    const all = { statements: 0 };
    let at = 1;
    for (; ; at += 1) {
      const seen = { statements: 0 };
      const ended = await rollUpUsage(failing(at, seen), OPTIONS).then(
        () => true,
        () => false,
      );
      all.statements = Math.max(all.statements, seen.statements);
      if (ended) break;
      const mark = await one(sql`SELECT next_xid FROM vitals.rollup_watermark WHERE next_xid > 0`);
      const counted = await one(
        sql`SELECT coalesce(sum(requests), 0)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      );
      // Either all of it, with its watermark, or nothing.
      expect([mark === undefined, counted?.n]).toEqual(mark === undefined ? [true, 0] : [false, 400]);
    }
    expect(at).toBeGreaterThan(30);
    expect(
      await one(
        sql`SELECT sum(requests)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      ),
    ).toEqual({ n: 400 });
    expect(await one(sql`SELECT sum(request_count)::int AS n FROM mcp_server`)).toEqual({ n: 400 });
  });

  test('two replicas at once take each call once', async () => {
    for (let round = 0; round < 5; round += 1) {
      await insertTraffic(db, { ...TRAFFIC, rows: 200, seed: round / 10 });
      await awaitOtherTransactions(db);
      await Promise.all([rollUpUsage(db, OPTIONS), rollUpUsage(db, OPTIONS), rollUpUsage(db, OPTIONS)]);
    }
    await rollUp();
    expect(
      await one(
        sql`SELECT sum(requests)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      ),
    ).toEqual({ n: 1_000 });
  });
});

describe('recomputing', () => {
  const days = async () =>
    (
      await db.execute<{ ms: number }>(
        sql`SELECT DISTINCT extract(epoch FROM date_trunc('day', requested_at, 'UTC'))::float8 * 1000 AS ms FROM api_usage`,
      )
    ).map(({ ms }) => ms);

  test('changes nothing when nothing changed, also while calls wait that were not taken', async () => {
    await insertTraffic(db, TRAFFIC);
    await rollUp();
    const before = [
      ...(await db.execute(sql`SELECT * FROM vitals.usage_bucket ORDER BY period, period_start, kind, key`)),
    ];
    await insertTraffic(db, { ...TRAFFIC, rows: 100, seed: 0.2 });
    for (const fromMs of await days())
      expect(await recomputeUsageDay(db, { fromMs, policy: POLICY, dryRun: false })).toEqual({
        changed: 0,
        incomplete: false,
      });
    expect([
      ...(await db.execute(sql`SELECT * FROM vitals.usage_bucket ORDER BY period, period_start, kind, key`)),
    ]).toEqual(before);
    await rollUp();
    expect(
      await one(
        sql`SELECT sum(requests)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      ),
    ).toEqual({ n: 6_100 });
  });

  test('mends what is wrong, says so before it does, and leaves days alone whose calls are gone', async () => {
    await insertTraffic(db, TRAFFIC);
    await rollUp();
    const before = [...(await buckets())];
    await db.execute(
      sql`UPDATE vitals.usage_bucket SET errors = errors + 5, sketch = NULL WHERE kind = 'server'`,
    );
    for (const fromMs of await days())
      expect(
        (await recomputeUsageDay(db, { fromMs, policy: POLICY, dryRun: true }))?.changed,
      ).toBeGreaterThan(0);
    expect([...(await buckets())]).not.toEqual(before);
    for (const fromMs of await days()) await recomputeUsageDay(db, { fromMs, policy: POLICY, dryRun: false });
    expect([...(await buckets())]).toEqual(before);
    const [first] = await days();
    await db.execute(sql`DELETE FROM api_usage WHERE id IN (SELECT id FROM api_usage
      WHERE requested_at >= to_timestamp(${(first ?? 0) / 1000}::float8) ORDER BY requested_at LIMIT 1)`);
    expect(await recomputeUsageDay(db, { fromMs: first ?? 0, policy: POLICY, dryRun: false })).toEqual({
      changed: 0,
      incomplete: true,
    });
  });
});

describe('the backfill', () => {
  const rollUpAll = async () => {
    for (;;) if (!(await rollUp())?.more) return;
  };
  test('takes calls from before the column, day by day, once', async () => {
    await db.execute(sql`ALTER TABLE api_usage ALTER COLUMN vitals_xid DROP DEFAULT`);
    await insertTraffic(db, TRAFFIC);
    await db.execute(
      sql`UPDATE api_usage SET requested_at = '-infinity' WHERE id = (SELECT id FROM api_usage LIMIT 1)`,
    );
    await db.execute(
      sql`ALTER TABLE api_usage ALTER COLUMN vitals_xid SET DEFAULT (pg_current_xact_id()::text::bigint)`,
    );
    await insertTraffic(db, { ...TRAFFIC, rows: 1_000, seed: 0.9 });
    await rollUpAll();
    await rollUpAll();
    expect(
      await one(
        sql`SELECT sum(requests)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      ),
    ).toEqual({ n: 6_999 });
  });

  test('in another cluster counts again what is there, and not twice', async () => {
    await insertTraffic(db, TRAFFIC);
    await rollUp();
    const before = [...(await buckets())];
    await db.execute(
      sql`UPDATE vitals.rollup_watermark SET system_identifier = '1', next_xid = next_xid + 1000000000`,
    );
    await rollUpAll();
    expect([...(await buckets())]).toEqual(before);
    await insertTraffic(db, { ...TRAFFIC, rows: 100, seed: 0.3 });
    await rollUpAll();
    expect(
      await one(
        sql`SELECT sum(requests)::int AS n FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all'`,
      ),
    ).toEqual({ n: 6_100 });
  });
});
