import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runHealthRollup } from '../../../jobs/health-rollup.ts';
import { runRollUpUsage } from '../../../jobs/roll-up-usage.ts';
import { runStorage } from '../../../jobs/storage.ts';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { DEFAULT_SETTINGS } from '../../../src/core/settings/known-settings.ts';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import { findUntaken } from '../../../src/db/rollup/untaken.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { registerServer } from '../../support/registry.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;
/** Rows are kept for 5 days; those of 20 days ago are still counted. */
const readSettings = async () => ({ ...DEFAULT_SETTINGS, apiUsage: 5, healthCheck: 5, usageGrace: 720 });

beforeEach(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 3 });
  db = connection.db;
  await registerServer(db, { id: 'one' });
});
afterEach(async () => {
  await connection.close();
  await database.close();
});

const insertOld = async () => {
  await db.execute(sql`INSERT INTO api_usage (server_id, path, method, status_code, requested_at)
    SELECT 'one', '/', 'GET', 200, now() - interval '20 days' FROM generate_series(1, 10)`);
  await db.execute(sql`INSERT INTO mcp_server_health_check (id, server_id, status, checked_at)
    SELECT gen_random_uuid(), 'one', 'healthy', now() - interval '20 days' FROM generate_series(1, 10)`);
};
const rollUp = async () => {
  await awaitOtherTransactions(db);
  const policy = () => ({ objective: 0.99, latency: DEFAULT_POLICY.latency });
  await runRollUpUsage({ db, policy, readSettings, onTaken: () => undefined });
  await runHealthRollup({ db, readSettings });
};
const retain = (meanwhile: (table: string) => Promise<unknown> = async () => undefined) =>
  runStorage({
    db,
    sql: connection.sql,
    readSettings,
    findUntaken: async (table) => {
      const untaken = await findUntaken(db, table);
      await meanwhile(table);
      return untaken;
    },
  });
const rows = async () => {
  const [row] = await db.execute(sql`SELECT (SELECT count(*)::int FROM api_usage) AS calls,
    (SELECT count(*)::int FROM mcp_server_health_check) AS checks,
    (SELECT coalesce(sum(requests), 0)::int FROM vitals.usage_bucket WHERE period = 'day' AND kind = 'all') AS counted,
    (SELECT coalesce(sum(up), 0)::int FROM vitals.health_day) AS tiers`);
  return row;
};

describe.each([
  ['partitioned', []],
  ['not partitioned', ['api_usage', 'mcp_server_health_check']],
])('retention of tables that are %s', (_, plain) => {
  beforeEach(async () => {
    for (const table of plain) {
      await db.execute(sql.raw(`ALTER TABLE ${table} RENAME TO ${table}_all`));
      await db.execute(sql.raw(`CREATE TABLE ${table} (LIKE ${table}_all INCLUDING DEFAULTS)`));
      await db.execute(sql.raw(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`));
    }
  });

  test('leaves what no rollup has taken, whatever its age, and takes it away afterwards', async () => {
    await insertOld();
    // No rollup has ever run.
    await retain();
    expect(await rows()).toEqual({ calls: 10, checks: 10, counted: 0, tiers: 0 });
    await rollUp();
    await insertOld();
    // The first ten were taken, and are older by a moment than those that were not.
    await retain();
    expect(await rows()).toEqual({ calls: 10, checks: 10, counted: 10, tiers: 10 });
    await rollUp();
    await retain();
    expect(await rows()).toEqual({ calls: 0, checks: 0, counted: 20, tiers: 20 });
  });

  test('leaves what arrives while it is at work', async () => {
    await insertOld();
    await rollUp();
    await retain(async (table) => {
      if (table === 'api_usage') await insertOld();
    });
    const left = (await rows()) as { calls: number; checks: number };
    // A partition that has got new rows stays as a whole for now.
    expect(left.calls).toBe(plain.length > 0 ? 10 : 20);
    expect(left.checks).toBeGreaterThanOrEqual(10);
    await rollUp();
    await retain();
    expect(await rows()).toEqual({ calls: 0, checks: 0, counted: 20, tiers: 20 });
  });

  test('leaves everything in a cluster that counts transactions otherwise, until the rollups have begun anew', async () => {
    await insertOld();
    await rollUp();
    await db.execute(sql`UPDATE vitals.rollup_watermark SET system_identifier = '1'`);
    await retain();
    expect(await rows()).toEqual({ calls: 10, checks: 10, counted: 10, tiers: 10 });
    await rollUp();
    await rollUp();
    await retain();
    expect(await rows()).toEqual({ calls: 0, checks: 0, counted: 10, tiers: 10 });
  });
});
