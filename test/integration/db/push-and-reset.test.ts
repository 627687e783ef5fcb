import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMigrations } from 'bullmq';
import { Client } from 'pg';
import type { Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adoptDatabase } from '../../../src/db/adopt.ts';
import { openClient } from '../../../src/db/client.ts';
import { ResetRefusedError } from '../../../src/db/errors.ts';
import { generateMigration, introspectDatabase } from '../../../src/db/kit/run-kit.ts';
import { OUR_TABLES } from '../../../src/db/own-tables.ts';
import { type PushPlan, pushSchema } from '../../../src/db/push.ts';
import { resetDatabase } from '../../../src/db/reset.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createGatewayDatabase } from '../../support/gateway-database.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';

let database: TestDatabase;
let sql: Sql;

async function use(made: Promise<TestDatabase>): Promise<void> {
  database = await made;
  sql = openClient(database.url, { poolSize: 1 });
  const client = new Client(database.url);
  await client.connect();
  await runMigrations(client, 'bullmq');
  await client.end();
}
beforeEach(() => use(createTestDatabase()));
afterEach(async () => {
  await sql.end();
  await database.close();
});

/** Every relation of every schema of people, with its columns. */
const relations = async (): Promise<string[]> => {
  const rows = await sql<{ name: string }[]>`
    SELECT n.nspname || '.' || c.relname || ' ' || coalesce(string_agg(a.attname, ' ' ORDER BY a.attnum), '') AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE n.nspname !~ '^(pg_|information_schema|vitals_partitions)'
     GROUP BY n.nspname, c.relname ORDER BY 1`;
  return rows.map(({ name }) => name);
};

describe('push', () => {
  it('finds nothing to do on a migrated database', async () => {
    expect(await pushSchema(database.url, migrationsDir)).toEqual({
      statements: [],
      leftAlone: [],
      pushed: true,
    });
  });

  it('adds and alters what the schema has otherwise', async () => {
    const before = await relations();
    await sql`ALTER TABLE mcp_server DROP COLUMN category`;
    await sql`ALTER TABLE mcp_tool DROP CONSTRAINT mcp_tool_server_id_name_unique`;
    await sql`ALTER TABLE session DROP CONSTRAINT session_user_id_user_id_fk`;
    await sql`ALTER TABLE vitals.server_state ALTER COLUMN host_key DROP NOT NULL, ALTER COLUMN failures SET DEFAULT 7`;
    await sql`ALTER TABLE vitals.server_state ALTER COLUMN successes TYPE bigint`;
    await sql`DROP INDEX mcp_server_health_check_server_checked_idx`;
    await sql`DROP TABLE vitals.uptime_day`;
    const plan = await pushSchema(database.url, migrationsDir);
    expect(plan.pushed).toBe(true);
    expect(plan.statements.filter((statement) => /\bDROP\b/i.test(statement))).toEqual([]);
    expect((await relations()).map(sortWords)).toEqual(before.map(sortWords));
    expect(await pushSchema(database.url, migrationsDir)).toEqual({
      statements: [],
      leftAlone: [],
      pushed: true,
    });
  });

  it('drops nothing that is not ours, nor anything of a newer gateway’s on our tables', async () => {
    await sql.end();
    await database.close();
    await use(createGatewayDatabase());
    await adoptDatabase(database.url, migrationsDir);
    const before = await relations();
    const plan = await pushSchema(database.url, migrationsDir);
    expect(plan.statements).toEqual([]);
    expect(plan.leftAlone.sort()).toEqual([
      'audit_log: column occurred_at has default now(), the contract says no default',
      'mcp_server: column region (text) is not in the contract: left alone',
      'mcp_server: index mcp_server_tenant_status_idx is not in the contract: left alone',
      'verification: column attempts is text, the contract says integer',
      'verification: column max_attempts is text, the contract says integer',
      'verification: column type is not null, the contract says nullable',
    ]);
    expect(await relations()).toEqual(before);
    expect(await sql`SELECT name FROM "apiKey"`).toEqual([{ name: 'mine' }]);
  });

  it('changes nothing when it is declined', async () => {
    await sql`DROP INDEX tenant_domain_idx`;
    const before = await relations();
    let asked: PushPlan | undefined;
    const result = await pushSchema(database.url, migrationsDir, {
      confirm: async (plan) => {
        asked = plan;
        return false;
      },
    });
    expect(result.pushed).toBe(false);
    expect(asked?.statements).toEqual([expect.stringContaining('CREATE INDEX "tenant_domain_idx"')]);
    expect(await relations()).toEqual(before);
  });

  it('makes an empty database whole', async () => {
    const empty = await createTestDatabase({ empty: true });
    const plan = await pushSchema(empty.url, migrationsDir);
    expect(plan.statements).toEqual([]);
    const client = openClient(empty.url, { poolSize: 1 });
    const [row] =
      await client`SELECT count(*)::int AS count FROM pg_tables WHERE schemaname IN ('public', 'vitals')`;
    // Every table of the schema, and the migrations' own bookkeeping.
    expect(row?.count).toBe(OUR_TABLES.length + 1);
    await client.end();
    await empty.close();
  });
});

const sortWords = (text: string): string => text.split(' ').sort().join(' ');

describe('generate', () => {
  it('finds nothing to write: the migrations and the schema agree', async () => {
    const before = readdirSync(migrationsDir);
    await generateMigration(migrationsDir);
    expect(readdirSync(migrationsDir)).toEqual(before);
  });
});

describe('introspect', () => {
  it('writes our tables, and only ours, into a folder of its own', async () => {
    await sql`CREATE TABLE circuit_breakers (id serial PRIMARY KEY)`;
    const folder = mkdtempSync(join(tmpdir(), 'vitals-introspected-'));
    const journal = readFileSync(join(migrationsDir, 'meta', '_journal.json'), 'utf8');
    const out = join(folder, 'introspected');
    await introspectDatabase(database.url, migrationsDir, out);
    await introspectDatabase(database.url, migrationsDir, out);
    const text = readFileSync(join(out, 'schema.ts'), 'utf8');
    expect(text).toContain('pgTable("mcp_server_health_check"');
    expect(text).toContain('"server_state"');
    expect(text).not.toContain('pgTable("circuit_breakers"');
    expect(text).not.toContain('bullmq');
    for (const file of readdirSync(out).filter((name) => name.endsWith('.sql')))
      expect(readFileSync(join(out, file), 'utf8')).not.toMatch(/\bDROP\b/);
    expect(readFileSync(join(migrationsDir, 'meta', '_journal.json'), 'utf8')).toBe(journal);
    expect(existsSync(join(migrationsDir, 'schema.ts'))).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it('refuses the migrations’ own folder', async () => {
    await expect(introspectDatabase(database.url, migrationsDir, migrationsDir)).rejects.toThrow(/overwrite/);
  });
});

describe('reset', () => {
  it('empties what is ours and keeps what is not', async () => {
    await sql`CREATE TABLE "apiKey" (id text PRIMARY KEY, user_id text REFERENCES "user"(id))`;
    await sql`CREATE SCHEMA elsewhere`;
    await sql`CREATE TABLE elsewhere.mcp_server (id text)`;
    await sql`INSERT INTO "user" (id, name, email, email_verified, created_at, updated_at)
      VALUES ('u', 'U', 'u@example.org', true, now(), now())`;
    await sql`INSERT INTO "apiKey" VALUES ('k', 'u')`;
    const before = (await relations()).filter((name) => !name.startsWith('bullmq.'));
    const report = await resetDatabase(database.url, migrationsDir);
    expect(report.dropped).toHaveLength(31);
    expect(report.cutForeignKeys).toEqual(['"apiKey".apiKey_user_id_fkey']);
    expect(await sql`SELECT count(*)::int AS users FROM "user"`).toEqual([{ users: 0 }]);
    expect(await sql`SELECT id FROM "apiKey"`).toEqual([{ id: 'k' }]);
    expect(await relations()).toEqual(before);
    expect(await sql`SELECT to_regnamespace('bullmq') AS queue`).toEqual([{ queue: null }]);
  });

  it('stops as a whole when somebody else’s view needs a table of ours', async () => {
    await sql`CREATE VIEW mine AS SELECT id FROM mcp_server`;
    const before = await relations();
    await expect(resetDatabase(database.url, migrationsDir)).rejects.toThrow(/depend/);
    expect(await relations()).toEqual(before);
  });

  it.each([
    ['NODE_ENV is production', 'postgres://127.0.0.1:1/x', 'production'],
    ['a host elsewhere', 'postgres://db.example.org/x', 'development'],
    ['a private address', 'postgres://10.0.0.5/x', 'development'],
    ['a host parameter', 'postgres:///x?host=db.example.org', 'test'],
  ])('refuses %s before it connects', async (_, url, nodeEnv) => {
    await expect(resetDatabase(url, migrationsDir, { nodeEnv })).rejects.toBeInstanceOf(ResetRefusedError);
  });

  it('does it all the same when forced', async () => {
    const report = await resetDatabase(database.url, migrationsDir, { nodeEnv: 'production', force: true });
    expect(report.dropped).toHaveLength(31);
  });
});
