import type { Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runStorage } from '../../../jobs/storage.ts';
import { SETTINGS } from '../../../src/core/settings/known-settings.ts';
import { createSettingsReader } from '../../../src/daemon/settings-reader.ts';
import { connectDatabase, type DatabaseConnection, openSession } from '../../../src/db/client.ts';
import { keepPartitions } from '../../../src/db/partitions/keep-partitions.ts';
import { readPartitions } from '../../../src/db/partitions/read-partitions.ts';
import { applySettings, listSettings, setSetting } from '../../../src/db/queries/settings.ts';
import { RETENTION_RULES_OF_TABLES } from '../../../src/db/retention/rules.ts';
import { type RetentionOptions, runRetention } from '../../../src/db/retention/run-retention.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { fillCalls } from '../../support/partitions.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let sql: Sql;
let session: Sql;

beforeEach(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  sql = connection.sql;
  session = openSession(sql);
});
afterEach(async () => {
  await session.end();
  await connection.close();
  await database.close();
});

const count = async (table: string): Promise<number> =>
  (await sql`SELECT count(*)::int AS n FROM ${sql(table)}`)[0]?.n;
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

async function remove(changes: Partial<RetentionOptions> = {}) {
  const { values } = await applySettings(session, 'test');
  const removed = await runRetention(session, {
    days: values,
    rules: RETENTION_RULES_OF_TABLES,
    nowMs: Date.now(),
    findUntaken: async () => null,
    ...changes,
  });
  return (table: string) => removed.find((row) => row.table === table);
}

describe('retention', () => {
  it('drops whole partitions, and deletes in batches what is old of the next one', async () => {
    await fillCalls(sql, 1000, 100);
    await keepPartitions(session, Date.now());
    const usage = (await remove({ batchRows: 7 }))('api_usage');
    expect(usage?.partitions).toBeGreaterThanOrEqual(8);
    const [oldest] =
      await sql`SELECT min(requested_at) > now() - interval '35.2 days' AS young FROM api_usage`;
    expect(oldest?.young).toBe(true);
    expect(await count('api_usage')).toBeGreaterThan(340);
    // Nothing is left of the partitions that went.
    expect(
      await sql`SELECT relname FROM pg_class c WHERE relnamespace = 'vitals_partitions'::regnamespace AND relkind = 'r' AND NOT relispartition`,
    ).toEqual([]);
  });

  it('deletes where there are no partitions, as much as one run may, and goes on in the next', async () => {
    await sql`DROP TABLE rate_limit_violation`;
    await sql`CREATE TABLE rate_limit_violation (violated_at timestamptz NOT NULL)`;
    await sql`INSERT INTO rate_limit_violation SELECT now() - n * interval '1 day' FROM generate_series(1, 200) n`;
    const first = (await remove({ rowsAtMost: 60, batchRows: 25 }))('rate_limit_violation');
    expect(first).toMatchObject({ rows: 60, partitions: 0, more: true });
    expect((await remove())('rate_limit_violation')).toMatchObject({ rows: 51, more: false });
    expect(await count('rate_limit_violation')).toBe(89);
  });

  it('never goes past what a rollup has not seen', async () => {
    await fillCalls(sql, 500, 100);
    await keepPartitions(session, Date.now());
    const held = daysAgo(80);
    await remove({
      findUntaken: async (table) =>
        table === 'api_usage' ? { fromMs: held.getTime(), isTaken: 'true' } : null,
    });
    const [row] = await sql`
      SELECT count(*) FILTER (WHERE requested_at < ${held.toISOString()})::int AS before,
        count(*) FILTER (WHERE requested_at >= ${held.toISOString()})::int AS since FROM api_usage`;
    expect(row).toEqual({ before: 0, since: 400 });
  });

  it('keeps checks that failed for longer', async () => {
    await sql`INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
      VALUES ('one', 'One', '', '', 'http', 'o', now(), now())`;
    await sql`INSERT INTO mcp_server_health_check (server_id, status, checked_at)
      SELECT 'one', CASE n % 2 WHEN 0 THEN 'healthy' ELSE 'timeout' END, now() - n * interval '1 day'
        FROM generate_series(1, 120) n`;
    await keepPartitions(session, Date.now());
    await remove();
    const rows = await sql`
      SELECT status, count(*)::int AS n, floor(extract(epoch FROM now() - min(checked_at)) / 86400)::int AS oldest
        FROM mcp_server_health_check GROUP BY 1 ORDER BY 1`;
    expect(rows.map(({ status, oldest }) => [status, oldest])).toEqual([
      ['healthy', 12],
      ['timeout', 89],
    ]);
  });

  it('keeps each tenant’s audit log for as long as that tenant says', async () => {
    const tenant = (id: string, days: number | null) => sql`
      INSERT INTO tenant (id, name, slug, owner_id, audit_log_retention, created_at, updated_at)
      VALUES (${id}, ${id}, ${id}, 'o', ${days}, now(), now())`;
    await tenant('short', 10);
    await tenant('long', 200);
    await tenant('silent', null);
    await tenant('strange', -5);
    for (const id of ['short', 'long', 'silent', 'strange', 'unknown', null])
      await sql`
        INSERT INTO audit_log (event_type, action, actor_type, resource_type, tenant_id, description, occurred_at)
        SELECT 'e', 'a', 'user', 'r', ${id}, 'd', now() - n * interval '1 day' - interval '1 hour' FROM generate_series(0, 300, 5) n`;
    await keepPartitions(session, Date.now());
    await remove();
    const rows =
      await sql`SELECT coalesce(tenant_id, 'none') AS tenant, count(*)::int AS n FROM audit_log GROUP BY 1`;
    expect(Object.fromEntries(rows.map(({ tenant, n }) => [tenant, n]))).toEqual({
      short: 2,
      long: 40,
      silent: 18,
      strange: 18,
      unknown: 18,
      none: 18,
    });
  });

  it('removes what is over of the worker’s own, and keeps what is still needed', async () => {
    const days = (count: number) => sql`now() - ${count} * interval '1 day'`;
    const alert = async (key: string, resolvedDays: number | null, incident: string | null = null) => {
      const [row] = await sql<{ id: string }[]>`
        INSERT INTO vitals.alert (key, kind, severity, title, started_at, resolved_at, incident_id, event_id)
        VALUES (${key}, 'server_down', 'critical', ${key}, ${days(2000)},
          ${resolvedDays === null ? null : days(resolvedDays)}, ${incident}, gen_random_uuid()) RETURNING id`;
      return row?.id ?? '';
    };
    const outbox = (id: string, done: number | null) => sql`
      INSERT INTO vitals.outbox (alert_id, transition, created_at, done_at)
      VALUES (${id}, 'fire', ${days(1200)}, ${done === null ? null : days(done)})`;
    const firing = await alert('fires', null);
    const over = await alert('over', 1200);
    const young = await alert('over for a year', 365);
    const spoken = await alert('incident', 1200);
    await alert('member', null, spoken);
    const waiting = await alert('waits', 1200);
    await outbox(firing, 40);
    await outbox(over, 40);
    await outbox(young, 40);
    await outbox(waiting, null);
    const delivery = (group: string, sent: number | null, once: string | null = null) => sql`
      INSERT INTO vitals.delivery (channel, group_key, once_key, message, transitions, created_at, next_attempt_at, sent_at)
      VALUES ('ops', ${group}, ${once}, '{}', '[]', ${days(40)}, now(), ${sent === null ? null : days(sent)})`;
    const window = async (status: string) => {
      const [row] = await sql<{ id: string }[]>`
        INSERT INTO maintenance_window (title, type, impact, scheduled_start, scheduled_end, status, created_by, created_at, updated_at)
        VALUES (${status}, 'upgrade', 'none', ${days(50)}, ${days(-1)}, ${status}, 'o', now(), now()) RETURNING id`;
      return `maintenance:${row?.id}:started:ops`;
    };
    await delivery('sent', 40);
    await delivery('waits', null);
    await delivery('lasts', 40, await window('in_progress'));
    await delivery('ended', 40, await window('completed'));
    const event = (
      title: string,
      type: string,
      age: number,
      status = 'resolved',
      data = '{}',
      source = 'mcp-vitals',
    ) => sql`
      INSERT INTO system_event (type, category, title, source, status, data, occurred_at, created_at)
      VALUES (${type}, 'system', ${title}, ${source}, ${status}, ${data}::text::json, ${days(age)}, now())`;
    await event('old usage', 'usage.rollup', 91);
    await event('usage', 'usage.rollup', 89);
    await event('old set aside', 'usage.set_aside', 91, 'active');
    await event('old quota', 'usage.quota', 91, 'active', '{"quota":"max_api_calls"}');
    await event('quota of servers', 'usage.quota', 2000, 'active', '{"quota":"max_servers"}');
    await event('old change', 'server.status_changed', 366);
    await event('change', 'server.status_changed', 364);
    await event('not over', 'server_down', 2000, 'active');
    await event('the gateway’s', 'usage.rollup', 2000, 'resolved', '{}', 'gateway');
    await sql`INSERT INTO vitals.usage_set_aside (found_at, problem, rows) SELECT ${days(0)} - n * interval '30 days', 'late', 1 FROM generate_series(0, 4) n`;
    await sql`INSERT INTO vitals.usage_counted (server_id, day, tool) SELECT 's', current_date - n, '' FROM generate_series(0, 100, 10) n`;
    await sql`INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
      VALUES ('one', 'One', '', '', 'http', 'o', now(), now())`;
    await sql`INSERT INTO vitals.uptime_day (server_id, day) SELECT 'one', current_date - n FROM generate_series(0, 100, 10) n`;
    await remove();
    const names = async (rows: Promise<readonly Record<string, unknown>[]>) =>
      (await rows).map(({ name }) => name);
    expect(await names(sql`SELECT key AS name FROM vitals.alert ORDER BY 1`)).toEqual([
      'fires',
      'incident',
      'member',
      'over for a year',
      'waits',
    ]);
    expect(
      await names(
        sql`SELECT key AS name FROM vitals.outbox o JOIN vitals.alert a ON a.id = o.alert_id ORDER BY 1`,
      ),
    ).toEqual(['fires', 'waits']);
    expect(await names(sql`SELECT group_key AS name FROM vitals.delivery ORDER BY 1`)).toEqual([
      'lasts',
      'waits',
    ]);
    expect(await names(sql`SELECT title AS name FROM system_event ORDER BY 1`)).toEqual([
      'change',
      'not over',
      'quota of servers',
      'the gateway’s',
      'usage',
    ]);
    expect(await count('vitals.usage_set_aside')).toBe(3);
    expect(await count('vitals.usage_counted')).toBe(4);
    expect(await count('vitals.uptime_day')).toBe(10);
  });

  it('removes usage with its statistics, days only with their whole month', async () => {
    await sql`INSERT INTO vitals.usage_bucket (period, period_start, kind, key, requests)
      SELECT p, date_trunc('day', now(), 'UTC') - n * interval '1 day', 'all', '', 1
        FROM unnest(ARRAY['hour', 'day']) p, generate_series(0, 1300) n`;
    await sql`INSERT INTO api_usage_stats (id, period_type, period_start, period_end, total_requests, created_at, updated_at)
      SELECT md5('mcp-vitals usage ' || period || ' ' || kind || ' ' || extract(epoch FROM period_start)::bigint || ' ' || key)::uuid,
        period, period_start, period_start, 1, now(), now() FROM vitals.usage_bucket`;
    // A gateway's own.
    await sql`INSERT INTO api_usage_stats (id, period_type, period_start, period_end, created_at, updated_at)
      VALUES (gen_random_uuid(), 'hour', to_timestamp(0), to_timestamp(3600), now(), now())`;
    await remove({ batchRows: 100 });
    const [hours] = await sql`SELECT count(*)::int AS n FROM vitals.usage_bucket WHERE period = 'hour'`;
    expect(hours).toEqual({ n: 90 });
    const [oldest] =
      await sql`SELECT min(period_start) = date_trunc('month', now() - interval '1095 days', 'UTC') AS whole
      FROM vitals.usage_bucket WHERE period = 'day'`;
    expect(oldest).toEqual({ whole: true });
    expect(await count('api_usage_stats')).toBe((await count('vitals.usage_bucket')) + 1);
  });

  it('drops in the next run what a killed one has only detached', async () => {
    const [state] = await readPartitions(sql);
    const name = `vitals_partitions.${state?.partitions[0]?.name}`;
    await sql.unsafe(`ALTER TABLE api_usage DETACH PARTITION ${name}`);
    await keepPartitions(session, Date.now() + 40 * 86_400_000);
    // Whoever detaches one by hand keeps it.
    expect(await sql`SELECT to_regclass(${name}) IS NOT NULL AS there`).toEqual([{ there: true }]);
    await sql.unsafe(`COMMENT ON TABLE ${name} IS 'mcp-vitals: to be dropped'`);
    await keepPartitions(session, Date.now() + 40 * 86_400_000);
    expect(await sql`SELECT to_regclass(${name}) IS NOT NULL AS there`).toEqual([{ there: false }]);
  });
});

describe('its settings', () => {
  const { key } = SETTINGS.apiUsage;
  const inForce = async () => (await applySettings(sql, 'test')).values.apiUsage;

  it('are rows of system_config with their rules, and taken up at the next run', async () => {
    expect(await inForce()).toBe(35);
    const [row] =
      await sql`SELECT category, value_type, validation_schema FROM system_config WHERE key = ${key}`;
    expect(row).toMatchObject({ category: 'retention', value_type: 'number' });
    expect(row?.validation_schema).toMatchObject({ type: 'integer', minimum: 1 });
    await sql`UPDATE system_config SET value = '400' WHERE key = ${key}`;
    expect(await inForce()).toBe(400);
    await sql`UPDATE system_config SET environment = 'production' WHERE key = ${key}`;
    expect(await inForce()).toBe(35);
  });

  it.each([['"36o"'], ['0'], ['null'], ['{"days": 3}']])(
    'refuses %s, and what was in force stays',
    async (value) => {
      await applySettings(sql, 'test');
      await sql`UPDATE system_config SET value = '400' WHERE key = ${key}`;
      await inForce();
      await sql`UPDATE system_config SET value = ${value}::text::json WHERE key = ${key}`;
      const { values, refused } = await applySettings(sql, 'test');
      expect(values.apiUsage).toBe(400);
      expect(refused).toEqual([{ key, kept: '400 days', problem: expect.any(String) }]);
      const listed = (await listSettings(sql, 'test')).find((setting) => setting.key === key);
      expect(listed).toMatchObject({ inForce: 400, problem: expect.any(String) });
    },
  );

  it('are set by a command that the stored rules can refuse', async () => {
    expect(await setSetting(sql, key, 60)).toBeNull();
    expect(await inForce()).toBe(60);
    expect(await setSetting(sql, key, 0)).toMatch(/less than 1/);
    await sql`UPDATE system_config SET validation_schema = '{"minimum": 50}' WHERE key = ${key}`;
    expect(await setSetting(sql, key, 40)).toMatch(/less than 50/);
    expect(await setSetting(sql, 'no.such', 1)).toMatch(/no setting/);
    expect(await inForce()).toBe(60);
  });

  it('are told of by a daemon when they are refused, not again by each run, and its report is kept', async () => {
    await sql`DELETE FROM vitals.job_run`;
    await applySettings(sql, 'test');
    await sql`UPDATE system_config SET value = '"x"' WHERE key = ${key}`;
    const told: string[] = [];
    const readSettings = createSettingsReader({
      sql,
      environment: 'test',
      onRefused: (refusal) => told.push(`${refusal.key}: ${refusal.problem}; ${refusal.kept}`),
    });
    const report = await runStorage({
      db: connection.db,
      sql,
      readSettings,
      findUntaken: async () => null,
    });
    await readSettings();
    expect(told).toEqual([`${key}: "x" is not of type integer; 35 days`]);
    await setSetting(sql, key, 60);
    await readSettings();
    await sql`UPDATE system_config SET value = '"x"' WHERE key = ${key}`;
    await readSettings();
    expect(told.slice(1)).toEqual([`${key}: "x" is not of type integer; 60 days`]);
    expect(report.kept.map(({ defaultRows }) => defaultRows)).toEqual([0, 0, 0, 0, 0]);
    expect(await sql`SELECT job FROM vitals.job_run WHERE data->'kept' IS NOT NULL`).toEqual([
      { job: 'storage' },
    ]);
  });
});
