import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openClient } from '../../../src/db/client.ts';
import { AdoptionNeededError } from '../../../src/db/errors.ts';
import { applyPending, migrateDatabase } from '../../../src/db/migrate.ts';
import { withMigrationLock } from '../../../src/db/migrations/migration-lock.ts';
import { type Migration, readMigrations } from '../../../src/db/migrations/read-migrations.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createGatewayDatabase } from '../../support/gateway-database.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';

let database: TestDatabase;
let sql: Sql;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  sql = openClient(database.url, { poolSize: 2 });
  folder = mkdtempSync(join(tmpdir(), 'vitals-migrations-'));
  cpSync(migrationsDir, folder, { recursive: true });
});
afterEach(async () => {
  await sql.end();
  await database.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

const journal = () => JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8'));
const tags: string[] = journalTags();
function journalTags(): string[] {
  const file = JSON.parse(readFileSync(join(migrationsDir, 'meta', '_journal.json'), 'utf8'));
  return file.entries.map((entry: { tag: string }) => entry.tag);
}

function addMigration(tag: string, text: string, when: number): void {
  const changed = journal();
  changed.entries.push({ idx: changed.entries.length, version: '7', when, tag, breakpoints: true });
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify(changed));
  writeFileSync(join(folder, `${tag}.sql`), text);
}

const registerOne = () => sql`
  INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
  VALUES ('one', 'One', '', '', 'http', 'o', now(), now())`;
const indexState = () => sql`
  SELECT i.indisvalid AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
   WHERE c.relname = 'mcp_server_health_check_server_checked_idx'`;

/** The migrations up to the one whose name begins so. */
function truncateJournal(prefix: string): Migration[] {
  const migrations = readMigrations(folder);
  return migrations.slice(0, migrations.findIndex(({ tag }) => tag.startsWith(prefix)) + 1);
}

/** The process that makes an index concurrently, once there is one that waits for somebody. */
async function untilIndexing(): Promise<number> {
  for (;;) {
    const [found] = await sql`
      SELECT p.pid FROM pg_stat_progress_create_index p JOIN pg_stat_activity a USING (pid)
       WHERE p.datname = current_database() AND a.wait_event_type = 'Lock'`;
    if (found) return found.pid;
  }
}

async function partitionsOf(table: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = ${table}::regclass ORDER BY 1`;
  return rows.map(({ name }) => name);
}

describe('migrate', () => {
  it('applies everything once, and then nothing', async () => {
    expect((await migrateDatabase(database.url, folder)).applied).toEqual(tags);
    expect((await migrateDatabase(database.url, folder)).applied).toEqual([]);
    const [row] = await sql`SELECT count(*)::int AS count FROM vitals.__migrations`;
    expect(row?.count).toBe(tags.length);
    expect(await indexState()).toEqual([{ valid: true }]);
  });

  it('lets several processes migrate one database at once', async () => {
    const reports = await Promise.all(Array.from({ length: 4 }, () => migrateDatabase(database.url, folder)));
    expect(reports.flatMap(({ applied }) => applied)).toEqual(tags);
  });

  it('makes its tables in public, also for a role called like our schema', async () => {
    await sql`CREATE SCHEMA vitals`;
    const session = openClient(`${database.url}?options=-csearch_path%3Dvitals`, { poolSize: 2 });
    await migrateDatabase(session, folder);
    await session.end();
    expect(await sql`SELECT schemaname FROM pg_tables WHERE tablename = 'mcp_server'`).toEqual([
      { schemaname: 'public' },
    ]);
  });

  it('undoes a migration that fails in the middle, keeps those before it, and goes on later', async () => {
    addMigration(
      '9000_broken',
      'CREATE TABLE half (id int);\n--> statement-breakpoint\nSELECT no_such();',
      1,
    );
    await expect(migrateDatabase(database.url, folder)).rejects.toThrow(/no_such/);
    expect(await sql`SELECT to_regclass('half') AS half, to_regclass('mcp_server') AS whole`).toEqual([
      { half: null, whole: 'mcp_server' },
    ]);
    writeFileSync(join(folder, '9000_broken.sql'), 'CREATE TABLE half (id int);');
    // Its time is before that of the others: what counts is whether it was applied.
    expect((await migrateDatabase(database.url, folder)).applied).toEqual(['9000_broken']);
  });

  it('does not run a migration again because a comment in its file was corrected', async () => {
    await migrateDatabase(database.url, folder);
    const file = join(folder, '0001_vitals.sql');
    writeFileSync(file, `-- corrected\n${readFileSync(file, 'utf8')}`);
    expect((await migrateDatabase(database.url, folder)).applied).toEqual([]);
  });

  it('makes an index anew that an interrupted run left invalid', async () => {
    const migrations = readMigrations(folder);
    // As it is before the index is made: an ordinary table.
    const upTo = truncateJournal('0001');
    await withMigrationLock(sql, (session) => applyPending(session, upTo));
    await registerOne();
    await sql`INSERT INTO mcp_server_health_check (server_id, status, checked_at)
      SELECT 'one', 'healthy', now() FROM generate_series(1, 2)`;
    // As an interrupted run leaves it: begun, and never made valid.
    await expect(
      sql`CREATE UNIQUE INDEX CONCURRENTLY mcp_server_health_check_server_checked_idx ON mcp_server_health_check (server_id)`,
    ).rejects.toThrow(/could not create unique index/);
    expect(await indexState()).toEqual([{ valid: false }]);
    const { applied } = await withMigrationLock(sql, (session) => applyPending(session, migrations));
    expect(applied[0]).toMatch(/^0002/);
    expect(await indexState()).toEqual([{ valid: true }]);
  });

  it('goes on with an index over partitions where an interrupted run left it', async () => {
    await migrateDatabase(database.url, folder);
    await sql`DROP INDEX mcp_server_health_check_server_checked_idx`;
    const [, second] = await partitionsOf('mcp_server_health_check');
    await registerOne();
    await sql`CREATE INDEX mcp_server_health_check_server_checked_idx ON ONLY mcp_server_health_check
      USING btree (server_id, checked_at DESC NULLS FIRST)`;
    expect(await indexState()).toEqual([{ valid: false }]);
    const migration = journal().entries.find(({ tag }: { tag: string }) => tag.startsWith('0002'));
    await sql`DELETE FROM vitals.__migrations WHERE created_at = ${migration.when}`;
    // Killed in the middle: one partition has its part, the run that made the next one's is cut off.
    const blocker = await sql.reserve();
    await blocker`BEGIN`;
    await blocker.unsafe(`INSERT INTO ${second} (server_id, status, checked_at)
      VALUES ('one', 'healthy', now())`);
    const cut = migrateDatabase(database.url, folder).catch((error: unknown) => error);
    const waiting = await untilIndexing();
    await sql`SELECT pg_terminate_backend(${waiting})`;
    expect(await cut).toBeInstanceOf(Error);
    await blocker`COMMIT`;
    blocker.release();
    expect((await migrateDatabase(database.url, folder)).applied).toEqual([migration.tag]);
    expect(await indexState()).toEqual([{ valid: true }]);
  });

  it('makes its index while another session writes, and does not stop it', async () => {
    await migrateDatabase(database.url, folder);
    await sql`DROP INDEX mcp_server_health_check_server_checked_idx`;
    const last = journal().entries.find(({ tag }: { tag: string }) => tag.startsWith('0002'));
    await sql`DELETE FROM vitals.__migrations WHERE created_at = ${last.when}`;
    await registerOne();
    const [, thisWeek] = await partitionsOf('mcp_server_health_check');
    const writer = await sql.reserve();
    await writer`BEGIN`;
    await writer.unsafe(
      `INSERT INTO ${thisWeek} (server_id, status, checked_at) VALUES ('one', 'healthy', now())`,
    );
    const migrating = migrateDatabase(database.url, folder);
    // CONCURRENTLY waits for the writer, and does not keep others from writing meanwhile.
    await Promise.race([untilIndexing(), migrating]);
    await sql`SET lock_timeout = '20s'`;
    await sql`INSERT INTO mcp_server_health_check (server_id, status, checked_at) VALUES ('one', 'healthy', now())`;
    await writer`COMMIT`;
    writer.release();
    expect((await migrating).applied).toEqual([last.tag]);
    expect(await indexState()).toEqual([{ valid: true }]);
  });

  it('leaves a gateway’s database alone and says what to do', async () => {
    const gateway = await createGatewayDatabase();
    const error = await migrateDatabase(gateway.url, folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AdoptionNeededError);
    expect(String(error)).toContain('mcp-vitals db adopt');
    const client = openClient(gateway.url, { poolSize: 1 });
    expect(await client`SELECT to_regnamespace('vitals') AS ours`).toEqual([{ ours: null }]);
    await client.end();
    await gateway.close();
  });
});
