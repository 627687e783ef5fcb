import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { connectDatabase, type Database } from '../../../src/db/client.ts';
import { type EmbeddedDatabase, openEmbedded } from '../../../src/db/embedded/open-embedded.ts';
import { migrateDatabase } from '../../../src/db/migrate.ts';
import { rollUpUsage } from '../../../src/db/rollup/usage/roll-up-usage.ts';
import { readWatermark } from '../../../src/db/rollup/watermark.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';
import { insertTraffic, registerTraffic, type Traffic } from '../../support/traffic.ts';
import { forgetUsage, readUsageState } from '../../support/usage-state.ts';

const TRAFFIC: Traffic = { rows: 400, days: 0.5, servers: 4, tenants: 2, tokens: 10, seed: 0.4 };
const dataDir = mkdtempSync(join(tmpdir(), 'mcp-vitals-full-'));
let server: EmbeddedDatabase;

beforeAll(async () => {
  const folder = process.env.TEST_POSTGRES_BIN;
  server = await openEmbedded({ dataDir, ...(folder ? { binaries: { folder } } : {}) });
  await migrateDatabase(server.url, migrationsDir);
});
afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

/** On connections of its own: a session keeps the files open that it has used. */
async function connected<T>(work: (db: Database) => Promise<T>): Promise<T> {
  const { db, close } = connectDatabase(server.url, { poolSize: 2 });
  try {
    return await work(db);
  } finally {
    await close();
  }
}
const rollUp = (db: Database) =>
  rollUpUsage(db, {
    policy: { objective: DEFAULT_POLICY.slo.objective, latency: DEFAULT_POLICY.latency },
    graceMs: 48 * 3_600_000,
  });
const codeOf = (error: unknown): unknown =>
  error instanceof Error ? ('code' in error ? error.code : codeOf(error.cause)) : undefined;

test('a disk that is full in the middle of a run leaves everything as it was, and the next run completes', async () => {
  await connected(async (db) => {
    await registerTraffic(db, TRAFFIC);
    await rollUp(db);
    await insertTraffic(db, TRAFFIC);
    await awaitOtherTransactions(db);
  });
  const before = await connected(async (db) => ({
    state: await readUsageState(db),
    nextXid: (await readWatermark(db, 'usage'))?.nextXid,
  }));
  // Early in a run, in its middle, and near its end.
  for (const table of ['vitals.usage_bucket', 'tenant_usage', 'system_event']) {
    const file = await connected(async (db) => {
      const [row] = await db.execute<{ file: string }>(
        sql`SELECT current_setting('data_directory') || '/' || pg_relation_filepath(${table}) AS file`,
      );
      return row?.file ?? '';
    });
    const { size, uid, gid } = statSync(file);
    expect(size).toBe(0);
    // What is written there meets ENOSPC, as on a disk that is full.
    rmSync(file);
    symlinkSync('/dev/full', file);
    expect(await connected((db) => rollUp(db).then(() => 'done', codeOf)), table).toBe('53100');
    rmSync(file);
    writeFileSync(file, '');
    chownSync(file, uid, gid);
    chmodSync(file, 0o600);
    expect(
      await connected(async (db) => ({
        state: await readUsageState(db),
        nextXid: (await readWatermark(db, 'usage'))?.nextXid,
      })),
    ).toEqual(before);
  }
  await connected(async (db) => {
    expect(await rollUp(db)).toMatchObject({ taken: 400 });
    const state = await readUsageState(db);
    await forgetUsage(db);
    await rollUp(db);
    expect(state).toEqual(await readUsageState(db));
  });
});
