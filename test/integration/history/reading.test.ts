import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readHistoryOf, readUptimeOf } from '../../../src/actions/health-history.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { readHealthHistory } from '../../../src/db/queries/health-history.ts';
import { rollUpHealth } from '../../../src/db/queries/health-rollup.ts';
import { testConfig } from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { registerServer } from '../../support/registry.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;
const [HOUR, DAY] = [3_600_000, 86_400_000];
const TODAY = Math.floor(Date.now() / DAY) * DAY;
const FROM = TODAY - 80 * DAY;
const IDS = ['a', 'b', 'c'];

/** A check each two hours for 80 days; of b every ninth fails. */
beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  db = connection.db;
  for (const id of IDS) await registerServer(db, { id });
  await db.execute(sql`
    INSERT INTO mcp_server_health_check (server_id, status, response_time, metrics, checked_at)
    SELECT id, CASE WHEN fails THEN 'error' ELSE 'healthy' END, CASE WHEN NOT fails THEN 100 + n % 50 END,
      CASE WHEN fails THEN '{"custom":{"verdict":"down","reason":"dns"}}'::json END,
      to_timestamp(${FROM}::float8 / 1000) + n * interval '2 hours'
    FROM (SELECT id, n, id = 'b' AND n % 9 = 0 AS fails FROM unnest(ARRAY['a', 'b']) id, generate_series(0, 959) n) r`);
  await awaitOtherTransactions(db);
  while ((await rollUpHealth(db))?.more);
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

/** What the rows themselves say of points of so many hours. */
async function expectedPoints(hours: number): Promise<unknown[]> {
  return [
    ...(await db.execute(sql`
      SELECT server_id AS "serverId",
        (floor(extract(epoch FROM checked_at) / ${hours * 3600}) * ${hours * 3600} * 1000)::float8 AS "atMs",
        count(*)::int AS checks, count(*) FILTER (WHERE status = 'healthy')::int AS up,
        percentile_disc(0.95) WITHIN GROUP (ORDER BY response_time)::int AS p95
      FROM mcp_server_health_check GROUP BY 1, 2 ORDER BY 1, 2`)),
  ];
}

describe('readHealthHistory', () => {
  test.each([
    ['shift', 240, 8],
    ['hour', 480, 4],
    ['day', 80, 24],
  ])('of %s: what the rows say', async (tier, maxPoints, hours) => {
    const history = await readHealthHistory(db, IDS, { fromMs: FROM, toMs: TODAY, maxPoints });
    expect(history).toMatchObject({ tier, stepMs: hours * HOUR });
    const points = history.servers.flatMap((server) =>
      server.points.map(({ atMs, checks, up, p95Ms }) => ({
        serverId: server.serverId,
        atMs,
        checks,
        up,
        p95Ms,
      })),
    );
    const expected = (await expectedPoints(hours)) as { p95: number }[];
    expect(points.map(({ p95Ms, ...point }) => point)).toEqual(expected.map(({ p95, ...point }) => point));
    points.forEach(({ p95Ms }, place) => {
      const exact = expected[place]?.p95 ?? 0;
      expect(Math.abs((p95Ms ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.01 + 0.05);
    });
    expect(history.servers.map(({ serverId }) => serverId)).toEqual(IDS);
    expect(history.servers[1]?.points[0]?.worst).toEqual({ verdict: 'down', reason: 'dns' });
    expect(history.servers[2]?.points).toEqual([]);
  });

  test('late rows show in points that were finished before', async () => {
    const range = { fromMs: FROM, toMs: TODAY, maxPoints: 240 };
    const before = await readHealthHistory(db, ['a'], range);
    await db.execute(sql`
      INSERT INTO mcp_server_health_check (server_id, status, checked_at)
      VALUES ('a', 'timeout', to_timestamp(${FROM}::float8 / 1000) + interval '1 minute')`);
    await awaitOtherTransactions(db);
    await rollUpHealth(db);
    const after = await readHealthHistory(db, ['a'], range);
    expect(after.servers[0]?.points.slice(1)).toEqual(before.servers[0]?.points.slice(1));
    expect(after.servers[0]?.points[0]).toMatchObject({ checks: 5, up: 4, verdicts: { up: 4, down: 1 } });
    await db.execute(sql`DELETE FROM mcp_server_health_check WHERE status = 'timeout'`);
  });

  test('it reads the rows of its points alone', async () => {
    await db.execute(sql`ANALYZE vitals.health_shift_week`);
    const plan = await db.transaction(async (tx) => {
      // On a table this small a scan of it would be right.
      await tx.execute(sql`SET LOCAL enable_seqscan = off`);
      return await tx.execute<Record<string, string>>(sql`
        EXPLAIN SELECT points FROM vitals.health_shift_week w
        WHERE w.server_id = 'a' AND w.at > now() - interval '90 days' AND w.at < now()`);
    });
    expect(JSON.stringify(plan)).toContain('health_shift_week_server_id_at_pk');
  });
});

describe('the commands', () => {
  const context = () => ({
    config: () => testConfig(database.url),
    version: '0',
    stop: new AbortController().signal,
    lookUp: () => undefined,
    onHangup: () => () => undefined,
    onProgress: () => undefined,
  });

  test('uptime: of one, of all, with outages', async () => {
    await db.execute(sql`
      INSERT INTO vitals.alert (key, kind, severity, server_id, title, started_at, resolved_at, event_id)
      VALUES ('server_down:b', 'server_down', 'error', 'b', 'b is down', now() - interval '10 days',
        now() - interval '10 days' + interval '5 minutes', gen_random_uuid())`);
    const range = { fromMs: FROM, toMs: TODAY };
    const all = await readUptimeOf(context(), null, range);
    expect(all?.servers.map(({ name, counted, incidents }) => [name, counted, incidents]).sort()).toEqual([
      ['a', 961, 0],
      ['b', 960, 1],
      ['c', 0, 0],
    ]);
    const b = await readUptimeOf(context(), 'b', range);
    expect(b?.servers[0]).toMatchObject({
      up: 853,
      upRatio: 853 / 960,
      incidentSeconds: 300,
      worst: { verdict: 'down', reason: 'dns' },
    });
    expect(await readUptimeOf(context(), 'nobody', range)).toBeNull();
  });

  test('history', async () => {
    const range = { fromMs: TODAY - 4 * DAY, toMs: TODAY, maxPoints: 4 };
    const history = await readHistoryOf(context(), 'b', range);
    expect(history).toMatchObject({ server: { id: 'b', name: 'b' }, tier: 'day', stepSeconds: 86_400 });
    expect(history?.points.map(({ checks }) => checks)).toEqual([12, 12, 12, 12]);
    expect(await readHistoryOf(context(), 'nobody', range)).toBeNull();
  });
});
