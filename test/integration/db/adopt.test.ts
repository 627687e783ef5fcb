import { eq } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { adoptDatabase, formatAdoption } from '../../../src/db/adopt.ts';
import { connectDatabase, openClient } from '../../../src/db/client.ts';
import { AdoptionRefusedError } from '../../../src/db/errors.ts';
import { migrateDatabase } from '../../../src/db/migrate.ts';
import { mcpServer, serverState } from '../../../src/db/schema/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createGatewayDatabase } from '../../support/gateway-database.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';

const databases: TestDatabase[] = [];
afterEach(async () => {
  await Promise.all(databases.splice(0).map((database) => database.close()));
});

async function gateway(changes: string[] = []): Promise<TestDatabase> {
  const database = await createGatewayDatabase(changes);
  databases.push(database);
  return database;
}

/** Those that our migrations add to the gateway's tables. */
const OUR_INDEXES = [
  'mcp_server_health_check_server_checked_idx',
  'mcp_server_health_check_checked_brin',
  'api_usage_server_requested_idx',
  'api_usage_requested_brin',
  'audit_log_occurred_brin',
  'api_usage_vitals_xid_idx',
  'mcp_server_health_check_vitals_xid_idx',
  'system_event_vitals_idx',
];

/**
 * All of the catalogue that says what the gateway's objects are, and where its rows are on disk. What we add
 * to its tables is left out: indexes, and the column that says of which transaction a row is.
 */
async function fingerprint(url: string): Promise<unknown> {
  const sql = openClient(url, { poolSize: 1 });
  try {
    return await sql`
      SELECT c.relname, c.relkind, c.relfilenode, c.reltuples,
             (SELECT jsonb_agg(jsonb_build_array(a.attname, a.atttypid::regtype::text, a.attnotnull,
                               pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
                FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 AND a.attname <> 'vitals_xid') AS columns,
             (SELECT jsonb_agg(pg_get_constraintdef(k.oid) ORDER BY k.conname) FROM pg_constraint k
               WHERE k.conrelid = c.oid) AS constraints
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname IN ('public', 'drizzle') AND NOT c.relname = ANY(${OUR_INDEXES})
       ORDER BY n.nspname, c.relname`;
  } finally {
    await sql.end();
  }
}

describe('adopt', () => {
  it('takes over a gateway’s database and changes nothing of it', async () => {
    const { url } = await gateway();
    const before = await fingerprint(url);
    const report = await adoptDatabase(url, migrationsDir);
    expect(report.taken).toBe(true);
    expect(report.applied).not.toContain('0000_baseline');
    expect(report.applied).toEqual(
      expect.arrayContaining(['0001_vitals', '0002_health_check_history_index']),
    );
    expect(await fingerprint(url)).toEqual(before);
  });

  it('reports table by table where it differs', async () => {
    const { url } = await gateway([
      'DROP INDEX tenant_domain_idx',
      'ALTER TABLE account DROP CONSTRAINT account_provider_id_account_id_unique',
      'ALTER TABLE tenant_member DROP CONSTRAINT tenant_member_tenant_id_tenant_id_fk',
      'ALTER TABLE api_token ALTER COLUMN name TYPE varchar(80)',
      "ALTER TABLE api_token ALTER COLUMN type SET DEFAULT 'service'",
      'ALTER TABLE feature_flag ALTER COLUMN tags SET NOT NULL',
      'DROP TABLE announcement_acknowledgment',
    ]);
    const report = await adoptDatabase(url, migrationsDir);
    const of = (name: string) => report.tables.find(({ table }) => table === name)?.findings ?? [];
    const texts = (name: string) => of(name).map(({ text }) => text);
    expect(report.tables).toHaveLength(31);
    expect(texts('tenant')).toEqual(['index tenant_domain_idx on (domain) is missing']);
    expect(texts('account')).toEqual(['nothing keeps (provider_id, account_id) unique']);
    expect(texts('tenant_member')).toEqual(['the foreign key (tenant_id) to tenant is missing']);
    expect(texts('api_token')).toEqual([
      'column name is character varying(80), the contract says text',
      'column type has default service, the contract says default personal',
    ]);
    expect(texts('feature_flag')).toEqual(['column tags is not null, the contract says nullable']);
    expect(texts('announcement_acknowledgment')).toEqual(['the table is missing']);
    expect(texts('audit_log')).toEqual([
      'column occurred_at has default now(), the contract says no default',
    ]);
    expect(of('mcp_server').map(({ severity }) => severity)).toEqual(['extra', 'extra']);
    expect(of('verification').every(({ severity }) => severity === 'known')).toBe(true);
    expect(of('verification')).toHaveLength(3);
    expect(of('mcp_tool')).toEqual([]);
    expect(report.extraTables).toEqual(['apiKey', 'circuit_breakers', 'server_metrics']);
    expect(report.gatewayMigrations).toBe(2);
    const lines = formatAdoption(report);
    expect(lines[0]).toMatch(/^\d+ of 31 tables are as the contract has them$/);
    expect(lines).toContain('  ≠ the foreign key (tenant_id) to tenant is missing');
  });

  it('leaves a database that both the gateway and the worker can use', async () => {
    const { url } = await gateway();
    await adoptDatabase(url, migrationsDir);
    const { db, sql, close } = connectDatabase(url, { poolSize: 1 });
    const server = await db.query.mcpServer.findFirst({ with: { owner: true, state: true } });
    expect(server?.owner?.email).toBe('owner@example.org');
    await db.insert(serverState).values({ serverId: 'one', nextProbeAt: new Date() });
    // The gateway's own queries: its extra column, its view, its extra tables, and removing a server.
    await sql`UPDATE mcp_server SET region = 'eu' WHERE id = 'one'`;
    await sql`SELECT * FROM active_tools`;
    await sql`SELECT k.name FROM "apiKey" k JOIN "user" u ON u.id = k.user_id`;
    await sql`INSERT INTO verification (id, identifier, value, expires_at, type) VALUES ('v', 'i', 'v', now(), 'email')`;
    await db.delete(mcpServer).where(eq(mcpServer.id, 'one'));
    expect(await db.select().from(serverState)).toEqual([]);
    await close();
  });

  it('works where ids are varchar', async () => {
    const { url } = await gateway(['ALTER TABLE mcp_server ALTER COLUMN id TYPE varchar(36)']);
    const report = await adoptDatabase(url, migrationsDir);
    expect(report.blocking).toEqual([]);
    const { db, close } = connectDatabase(url, { poolSize: 1 });
    await db.insert(serverState).values({ serverId: 'one', nextProbeAt: new Date() });
    expect((await db.query.serverState.findFirst({ with: { server: true } }))?.server.name).toBe('One');
    await close();
  });

  it('can be run again, and migrate goes on from there', async () => {
    const { url } = await gateway();
    await adoptDatabase(url, migrationsDir);
    const again = await adoptDatabase(url, migrationsDir);
    expect(again).toMatchObject({ taken: false, applied: [] });
    expect((await migrateDatabase(url, migrationsDir)).applied).toEqual([]);
  });

  it.each([
    ['a table is missing', ['DROP TABLE system_event'], 'system_event: the table is missing'],
    [
      'a column is missing',
      ['ALTER TABLE mcp_server DROP COLUMN health_status'],
      'mcp_server: column health_status is missing',
    ],
    [
      'an upsert would have nothing to stand on',
      ['ALTER TABLE mcp_tool DROP CONSTRAINT mcp_tool_server_id_name_unique'],
      'mcp_tool: nothing keeps (server_id, name) unique',
    ],
    [
      'a new column has to be given',
      ['ALTER TABLE mcp_server_health_check ADD COLUMN region text NOT NULL'],
      'mcp_server_health_check: column region (text)',
    ],
  ])('refuses when %s, says so, and changes nothing', async (_, changes, text) => {
    const { url } = await gateway(changes);
    const before = await fingerprint(url);
    const error = await adoptDatabase(url, migrationsDir).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AdoptionRefusedError);
    expect(String(error)).toContain(text);
    expect(error instanceof AdoptionRefusedError && error.report.blocking).toHaveLength(1);
    expect(await fingerprint(url)).toEqual(before);
    const sql = openClient(url, { poolSize: 1 });
    expect(await sql`SELECT to_regnamespace('vitals') AS ours`).toEqual([{ ours: null }]);
    await sql.end();
  });

  it('refuses an empty database: that is what migrate is for', async () => {
    const empty = await createTestDatabase({ empty: true });
    databases.push(empty);
    await expect(adoptDatabase(empty.url, migrationsDir)).rejects.toThrow(/nothing to adopt.*db migrate/s);
  });
});
