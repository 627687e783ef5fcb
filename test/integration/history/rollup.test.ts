import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { rollUpHealth } from '../../../src/db/queries/health-rollup.ts';
import { readUptime } from '../../../src/db/queries/health-uptime.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { registerServer } from '../../support/registry.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;
const DAY = 86_400_000;
/** The beginning of yesterday: nothing in these tests is as new as now, nothing as old as what is deleted. */
const YESTERDAY = Math.floor(Date.now() / DAY) * DAY - DAY;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 4 });
  db = connection.db;
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  await db.execute(sql`DELETE FROM mcp_server`);
  await db.execute(sql`DELETE FROM system_event`);
  for (const id of ['a', 'b']) await registerServer(db, { id });
});

interface Row {
  server: string;
  atMs: number;
  status: string;
  responseMs: number | null;
  verdict: string | null;
  reason: string | null;
}

async function insert(rows: readonly Row[]): Promise<void> {
  await db.execute(sql`
    INSERT INTO mcp_server_health_check (id, server_id, status, response_time, metrics, checked_at)
    SELECT gen_random_uuid(), server, status, "responseMs",
      CASE WHEN verdict IS NOT NULL THEN json_build_object('custom', json_build_object('verdict', verdict, 'reason', reason)) END,
      to_timestamp("atMs" / 1000.0)
    FROM json_to_recordset(${JSON.stringify(rows)}::json)
      AS r(server text, status text, "responseMs" integer, verdict text, reason text, "atMs" float8)`);
}

async function rollUpAll(options: Parameters<typeof rollUpHealth>[1] = {}): Promise<void> {
  await awaitOtherTransactions(db);
  for (;;) {
    const result = await rollUpHealth(db, options);
    if (!result?.more) return;
  }
}

const VERDICT = sql`coalesce(metrics->'custom'->>'verdict', CASE status WHEN 'healthy' THEN 'up' ELSE 'down' END)`;

/** What one GROUP BY over all rows says of a tier's buckets. */
async function expected(unit: 'minute' | 'hour' | 'day'): Promise<unknown[]> {
  return [
    ...(await db.execute(sql`
      SELECT server_id AS server, date_trunc(${sql.raw(`'${unit}'`)}, checked_at AT TIME ZONE 'UTC')::text AS at,
        count(*) FILTER (WHERE ${VERDICT} = 'up')::int AS up, count(*) FILTER (WHERE ${VERDICT} = 'degraded')::int AS degraded,
        count(*) FILTER (WHERE ${VERDICT} = 'down')::int AS down, count(*) FILTER (WHERE ${VERDICT} = 'waking')::int AS waking,
        count(*) FILTER (WHERE ${VERDICT} IN ('up', 'degraded'))::int AS healthy,
        count(*) FILTER (WHERE ${VERDICT} <> 'waking')::int AS counted,
        count(response_time)::int AS responses, coalesce(sum(response_time), 0)::text AS sum
      FROM mcp_server_health_check GROUP BY 1, 2 ORDER BY 1, 2`)),
  ];
}

async function stored(unit: 'minute' | 'hour' | 'day'): Promise<unknown[]> {
  return [
    ...(await db.execute(sql`
      SELECT server_id AS server, (at AT TIME ZONE 'UTC')::text AS at, up, degraded, down, waking, healthy, counted,
        responses, response_ms_sum::text AS sum
      FROM ${sql.raw(`vitals.health_${unit}`)} ORDER BY 1, 2`)),
  ];
}

/** Everything that the tiers hold, to be compared as a whole. */
async function everything(): Promise<unknown> {
  const [row] = await db.execute<{ all: unknown }>(sql`
    SELECT jsonb_build_object(${sql.join(
      ['minute', 'hour', 'shift', 'day'].map(
        (tier) =>
          sql`${sql.raw(`'${tier}'`)}, (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY server_id, at), '[]') FROM ${sql.raw(`vitals.health_${tier}`)} t)`,
      ),
      sql`, `,
    )}) AS all`);
  return row?.all;
}

async function expectTiersToAgree(): Promise<void> {
  for (const unit of ['minute', 'hour', 'day'] as const)
    expect(await stored(unit)).toEqual(await expected(unit));
}

const rowOf = fc.record({
  server: fc.constantFrom('a', 'b'),
  atMs: fc.integer({ min: YESTERDAY, max: YESTERDAY + DAY - 1 }),
  responseMs: fc.option(fc.integer({ min: 0, max: 30_000 })),
  kind: fc.constantFrom(
    { status: 'healthy', verdict: 'up', reason: 'ok' },
    { status: 'healthy', verdict: null, reason: null },
    { status: 'timeout', verdict: null, reason: null },
    { status: 'error', verdict: 'down', reason: 'refused' },
    { status: 'error', verdict: 'down', reason: 'dns' },
    { status: 'timeout', verdict: 'waking', reason: 'waking' },
    { status: 'healthy', verdict: 'degraded', reason: 'slow' },
  ),
});
const rowsOf = fc
  .array(rowOf, { minLength: 1, maxLength: 40 })
  .map((rows) => rows.map(({ kind, ...row }): Row => ({ ...row, ...kind })));

const sample = (count: number): Row[] =>
  Array.from({ length: count }, (_, place) => ({
    server: place % 3 === 0 ? 'b' : 'a',
    atMs: YESTERDAY + ((place * 7_919_000) % DAY),
    status: place % 5 === 0 ? 'error' : 'healthy',
    responseMs: place % 5 === 0 ? null : 50 + ((place * 37) % 400),
    verdict: place % 5 === 0 ? 'down' : 'up',
    reason: place % 5 === 0 ? (place % 2 === 0 ? 'refused' : 'dns') : 'ok',
  }));

describe('rollUpHealth', () => {
  test('any order and any batching gives what one GROUP BY gives, and the same tiers', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf,
        fc.array(fc.nat(39), { maxLength: 4 }),
        fc.integer({ min: 1, max: 50 }),
        async (rows, cuts, pageRows) => {
          const once = async (batches: Row[][], options: Parameters<typeof rollUpAll>[0]) => {
            await db.execute(sql`DELETE FROM mcp_server`);
            for (const id of ['a', 'b']) await registerServer(db, { id });
            for (const batch of batches) {
              await insert(batch);
              await rollUpAll(options);
            }
            await expectTiersToAgree();
            return await everything();
          };
          const whole = await once([rows], {});
          const bounds = [0, ...cuts.map((cut) => cut % rows.length).sort((x, y) => x - y), rows.length];
          const backwards = [...rows].reverse();
          const parts = bounds.slice(1).map((end, place) => backwards.slice(bounds[place], end));
          expect(await once(parts, { pageRows, maxRows: 7 })).toEqual(whole);
        },
      ),
      { numRuns: 12 },
    );
  });

  test('killed at each statement and run again, it counts every row once', async () => {
    await insert(sample(30));
    await rollUpAll();
    const late = sample(60).slice(30);
    await insert(late);
    await awaitOtherTransactions(db);
    let killed = 0;
    for (let at = 1; ; at += 1) {
      let statements = 0;
      const cut: Database = Object.create(db, {
        transaction: {
          value: (work: (tx: object) => Promise<unknown>) =>
            db.transaction((tx) =>
              work({
                execute(query: Parameters<typeof tx.execute>[0]) {
                  statements += 1;
                  if (statements === at) throw new Error('killed');
                  return tx.execute(query);
                },
              }),
            ),
        },
      });
      const before = await everything();
      const ended = await rollUpHealth(cut, { pageRows: 10 }).catch((error: Error) => error.message);
      if (ended !== 'killed') break;
      killed += 1;
      expect(await everything()).toEqual(before);
    }
    expect(killed).toBeGreaterThan(20);
    await expectTiersToAgree();
  });

  test('two replicas at once count every row once', async () => {
    const other = connectDatabase(database.url, { poolSize: 2 });
    try {
      for (let round = 0; round < 5; round += 1) {
        await insert(sample(40));
        await Promise.all([rollUpHealth(db, { pageRows: 5 }), rollUpHealth(other.db, { pageRows: 5 })]);
      }
      await rollUpAll();
      await expectTiersToAgree();
    } finally {
      await other.close();
    }
  });

  test('rows from before arrivals were noted are taken once, beside new ones', async () => {
    await insert(sample(50));
    await db.execute(sql`UPDATE mcp_server_health_check SET vitals_xid = NULL`);
    await db.execute(sql`DELETE FROM vitals.rollup_watermark`);
    await rollUpHealth(db, { maxRows: 8 });
    await insert(sample(70).slice(50));
    await rollUpAll({ maxRows: 8 });
    await expectTiersToAgree();
  });

  test('in another cluster whole days are counted again from their rows, others stay, and nothing counts twice', async () => {
    await insert(sample(90));
    const older = sample(40).map((row) => ({ ...row, atMs: row.atMs - 3 * DAY }));
    const beyond = sample(20).map((row) => ({ ...row, atMs: row.atMs - 30 * DAY }));
    await insert([...older, ...beyond]);
    await rollUpAll();
    const before = await everything();
    // Retention has taken a part of one day, as a dump has it that was restored elsewhere.
    await db.execute(sql`DELETE FROM mcp_server_health_check WHERE checked_at < to_timestamp(${YESTERDAY - DAY}::float8 / 1000)
      AND status = 'healthy'`);
    const movedTo = (offset: number) =>
      db.execute(sql`UPDATE vitals.rollup_watermark SET system_identifier = '1',
      next_xid = next_xid + ${offset}::bigint WHERE rollup = 'health'`);
    await movedTo(1_000_000);
    await db.execute(sql`UPDATE mcp_server_health_check SET vitals_xid = vitals_xid + 1000000`);
    await rollUpAll({ maxRows: 25 });
    expect(await everything()).toEqual(before);
    const fresh = sample(30).map((row) => ({ ...row, atMs: row.atMs + 7_000 }));
    await insert(fresh);
    await rollUpAll();
    const [days] = await db.execute<{ n: number }>(
      sql`SELECT sum(up + degraded + down)::int AS n FROM vitals.health_day`,
    );
    expect(days?.n).toBe(90 + 40 + 20 + 30);
    // Once more, with new rows that were not taken before it.
    await insert(fresh);
    await movedTo(0);
    await rollUpAll();
    const [again] = await db.execute<{ n: number }>(
      sql`SELECT sum(up + degraded + down)::int AS n FROM vitals.health_day`,
    );
    expect(again?.n).toBe(90 + 40 + 20 + 60);
  });

  test('impossible rows are set aside, counted and reported, and the rest goes on', async () => {
    await insert(sample(10));
    const good = await expected('day');
    const odd = { server: 'a', status: 'healthy', responseMs: 5, verdict: null, reason: null };
    await insert([
      { ...odd, atMs: 1_000 },
      { ...odd, atMs: Date.now() + 30 * DAY },
      { ...odd, atMs: YESTERDAY, responseMs: -1 },
      { ...odd, atMs: YESTERDAY, responseMs: 2_000_000_000 },
    ]);
    await db.execute(sql`
      INSERT INTO mcp_server_health_check (server_id, status, checked_at) VALUES ('a', 'healthy', 'infinity')`);
    await awaitOtherTransactions(db);
    const result = await rollUpHealth(db);
    expect(result).toMatchObject({ rows: 15, setAside: { future: 2, too_old: 1, bad_response_time: 2 } });
    await insert([{ ...odd, atMs: 2_000 }]);
    await rollUpAll();
    const events = await db.execute(sql`SELECT type, severity, data FROM system_event ORDER BY data->>'why'`);
    expect([...events]).toEqual([
      { type: 'rollup.set_aside', severity: 'warning', data: { why: 'bad_response_time', rows: 2 } },
      { type: 'rollup.set_aside', severity: 'warning', data: { why: 'future', rows: 2 } },
      { type: 'rollup.set_aside', severity: 'warning', data: { why: 'too_old', rows: 2 } },
    ]);
    expect(await stored('day')).toEqual(good);
  });

  test('metrics that PostgreSQL cannot read count by their status', async () => {
    for (const metrics of ['{"a":"\\u0000"}', '{"a":"\\ud800"}', '[]', '"x"', '{"custom":7}'])
      await db.execute(sql`
        INSERT INTO mcp_server_health_check (server_id, status, metrics, checked_at)
        VALUES ('a', 'unhealthy', ${metrics}::json, to_timestamp(${YESTERDAY}::float8 / 1000))`);
    await rollUpAll();
    expect(await stored('day')).toMatchObject([{ server: 'a', down: 5, counted: 5, healthy: 0 }]);
  });

  test('the uptime of a range is the same from every tier', async () => {
    await insert(sample(400));
    await rollUpAll();
    const range = { fromMs: YESTERDAY, toMs: YESTERDAY + DAY };
    const days = await readUptime(db, ['a', 'b'], range);
    expect(days.segments.map(({ tier }) => tier)).toEqual(['day']);
    // A millisecond less is widened to whole minutes, the sum of which is the day's.
    const mixed = await readUptime(db, ['a', 'b'], { fromMs: range.fromMs + 1, toMs: range.toMs - 1 });
    expect(new Set(mixed.segments.map(({ tier }) => tier))).toEqual(new Set(['minute', 'hour', 'shift']));
    expect(mixed.servers).toEqual(days.servers);
    for (const gone of ['minute', 'hour', 'shift']) {
      await db.execute(
        sql`DELETE FROM ${sql.raw(`vitals.health_${gone}`)} WHERE at < to_timestamp(${range.toMs}::float8 / 1000)`,
      );
      expect((await readUptime(db, ['a', 'b'], range)).servers).toEqual(days.servers);
    }
  });
});
