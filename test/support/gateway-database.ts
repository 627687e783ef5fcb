import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openClient } from '../../src/db/client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { migrationsDir } from './migrations-dir.ts';

/** What a newer gateway has beside the contract, and an older one otherwise than the contract. */
const EXTRAS = [
  'CREATE TABLE "apiKey" (id text PRIMARY KEY, user_id text NOT NULL REFERENCES "user"(id) ON DELETE CASCADE, name text)',
  'CREATE TABLE circuit_breakers (id serial PRIMARY KEY, server_id text, state text)',
  'CREATE TABLE server_metrics (server_id text REFERENCES mcp_server(id), at timestamptz, value numeric)',
  "CREATE TYPE gateway_mood AS ENUM ('good', 'bad')",
  'CREATE VIEW active_tools AS SELECT name FROM mcp_tool WHERE is_active',
  'CREATE INDEX mcp_server_tenant_status_idx ON mcp_server (tenant_id, status)',
  'ALTER TABLE mcp_server ADD COLUMN region text',
  'ALTER TABLE audit_log ALTER COLUMN occurred_at SET DEFAULT now()',
  'ALTER TABLE verification ALTER COLUMN attempts DROP DEFAULT, ALTER COLUMN max_attempts DROP DEFAULT',
  'ALTER TABLE verification ALTER COLUMN attempts TYPE text, ALTER COLUMN max_attempts TYPE text',
  "ALTER TABLE verification ALTER COLUMN attempts SET DEFAULT '0', ALTER COLUMN max_attempts SET DEFAULT '3'",
  'ALTER TABLE verification ALTER COLUMN type SET NOT NULL',
  `INSERT INTO "user" (id, name, email, email_verified, created_at, updated_at)
     VALUES ('owner', 'Owner', 'owner@example.org', true, now(), now())`,
  `INSERT INTO "apiKey" VALUES ('key', 'owner', 'mine')`,
  `INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
     VALUES ('one', 'One', '1.0.0', 'http://127.0.0.1:1/mcp', 'http', 'owner', now(), now())`,
];

/** A database as the gateway makes it: its 31 tables, its own record of its migrations, and its extras. */
export async function createGatewayDatabase(changes: string[] = []): Promise<TestDatabase> {
  const database = await createTestDatabase({ empty: true });
  const sql = openClient(database.url, { poolSize: 1 });
  try {
    const baseline = readFileSync(join(migrationsDir, '0000_baseline.sql'), 'utf8');
    const record = [
      'CREATE SCHEMA drizzle',
      'CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)',
      "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('aaa', 1), ('bbb', 9999999999999)",
    ];
    for (const statement of [...baseline.split('--> statement-breakpoint'), ...record, ...EXTRAS, ...changes])
      await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
  return database;
}
