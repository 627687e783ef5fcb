import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHealthRollup } from '../../../jobs/health-rollup.ts';
import { runRollUpUsage } from '../../../jobs/roll-up-usage.ts';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { SETTINGS, type SettingName } from '../../../src/core/settings/known-settings.ts';
import { createSettingsReader } from '../../../src/daemon/settings-reader.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { setSetting } from '../../../src/db/queries/settings.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { registerServer } from '../../support/registry.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;
let readSettings: ReturnType<typeof createSettingsReader>;
const refused: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  db = connection.db;
  readSettings = createSettingsReader({
    sql: connection.sql,
    environment: 'test',
    onRefused: ({ key }) => refused.push(key),
  });
  await registerServer(db, { id: 'one' });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
const set = async (name: SettingName, value: number) =>
  expect(await setSetting(connection.sql, SETTINGS[name].key, value)).toBeNull();

test('each run reads the grace of late calls: what is later is counted as late, and reported', async () => {
  const result = { taken: 0, late: 0 };
  const call = (hoursAgo: number) =>
    db.execute(sql`INSERT INTO api_usage (server_id, path, method, status_code, requested_at)
      VALUES ('one', '/', 'GET', 200, now() - ${hoursAgo}::int * interval '1 hour')`);
  const run = async () => {
    await awaitOtherTransactions(db);
    await runRollUpUsage({
      db,
      policy: () => ({ objective: 0.99, latency: DEFAULT_POLICY.latency }),
      readSettings,
      onTaken({ taken, setAside }) {
        result.taken += taken;
        result.late += setAside.late ?? 0;
      },
    });
  };
  // Two runs, so that it is known since when nothing is missing.
  await run();
  await run();
  await call(60);
  await run();
  expect(result).toEqual({ taken: 0, late: 1 });
  await set('usageGrace', 72);
  await call(60);
  await run();
  expect(result).toEqual({ taken: 1, late: 1 });
  await set('usageGrace', 2);
  await call(3);
  await run();
  expect(result).toEqual({ taken: 1, late: 2 });
  const [told] = await db.execute(
    sql`SELECT title, (data->>'rows')::int AS rows FROM system_event WHERE type = 'usage.set_aside'`,
  );
  expect(told).toEqual({ title: '2 calls were not counted: late', rows: 2 });
  // A value that is no grace leaves the one in force.
  await db.execute(sql`UPDATE system_config SET value = '0' WHERE key = ${SETTINGS.usageGrace.key}`);
  await call(1);
  await run();
  expect(result).toEqual({ taken: 2, late: 2 });
  expect(refused).toEqual([SETTINGS.usageGrace.key]);
});

test('each run reads how long the tiers are kept: what is older is not put into them', async () => {
  const check = (daysAgo: number) =>
    db.execute(sql`INSERT INTO mcp_server_health_check (id, server_id, status, checked_at)
      VALUES (gen_random_uuid(), 'one', 'healthy', now() - ${daysAgo}::int * interval '1 day')`);
  const counts = async () => {
    await awaitOtherTransactions(db);
    await runHealthRollup({ db, readSettings });
    const [row] = await db.execute(sql`SELECT (SELECT count(*)::int FROM vitals.health_minute) AS minutes,
      (SELECT count(*)::int FROM vitals.health_hour) AS hours, (SELECT count(*)::int FROM vitals.health_shift) AS shifts,
      (SELECT count(*)::int FROM vitals.health_day) AS days`);
    return row;
  };
  await check(4);
  expect(await counts()).toEqual({ minutes: 0, hours: 1, shifts: 1, days: 1 });
  await set('healthMinutes', 10);
  await set('healthHours', 5);
  await check(6);
  expect(await counts()).toEqual({ minutes: 1, hours: 1, shifts: 1, days: 2 });
  await set('healthDays', 10);
  await check(20);
  expect(await counts()).toEqual({ minutes: 1, hours: 1, shifts: 1, days: 2 });
  const [told] = await db.execute(sql`SELECT data FROM system_event WHERE type = 'rollup.set_aside'`);
  expect(told).toEqual({ data: { why: 'too_old', rows: 1 } });
});
