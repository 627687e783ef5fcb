import type { Sql } from 'postgres';
import { afterEach, describe, expect, it } from 'vitest';
import { adoptDatabase } from '../../../src/db/adopt.ts';
import { readTables } from '../../../src/db/catalogue/read-tables.ts';
import { openClient } from '../../../src/db/client.ts';
import { PartitioningRefusedError } from '../../../src/db/errors.ts';
import { withAdvisoryLock } from '../../../src/db/migrations/advisory-lock.ts';
import {
  type Conversion,
  type ConvertOptions,
  convertTable,
} from '../../../src/db/partitions/convert-table.ts';
import { keepPartitions } from '../../../src/db/partitions/keep-partitions.ts';
import { PARTITIONED_TABLES } from '../../../src/db/partitions/partitioned-tables.ts';
import { readPartitions } from '../../../src/db/partitions/read-partitions.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createGatewayDatabase } from '../../support/gateway-database.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';
import { fillCalls, startWriter } from '../../support/partitions.ts';

let database: TestDatabase;
let sql: Sql;

async function use(made: Promise<TestDatabase>): Promise<void> {
  database = await made;
  sql = openClient(database.url, { poolSize: 2 });
}
async function adoptGateway(changes: string[] = []): Promise<void> {
  await use(createGatewayDatabase(changes));
  await adoptDatabase(database.url, migrationsDir);
}
afterEach(async () => {
  await sql.end();
  await database.close();
});

const specOf = (table: string) => {
  const spec = PARTITIONED_TABLES.find((candidate) => candidate.table === table);
  if (!spec) throw new Error(table);
  return spec;
};
/** In a session of its own, as the command and the job have one. */
async function convert(table: string, options: Partial<ConvertOptions> = {}): Promise<Conversion['result']> {
  const done = await withAdvisoryLock(sql, '1', 0, (session) =>
    convertTable(session, specOf(table), { nowMs: Date.now(), ...options }),
  );
  return done?.result.result ?? 'missing';
}
const keep = async (nowMs: number) =>
  (await withAdvisoryLock(sql, '1', 0, (session) => keepPartitions(session, nowMs)))?.result ?? [];
const count = async (table: string): Promise<number> =>
  (await sql`SELECT count(*)::int AS n FROM ${sql(table)}`)[0]?.n;
const facts = async (table: string) => (await readTables(sql, ['public'])).get(`public.${table}`);
const WEEK_MS = 7 * 86_400_000;

describe('a live table', () => {
  it('is swapped under its writers without the loss of a row, and is in everything as it was', async () => {
    await adoptGateway([
      'ALTER TABLE api_usage ADD COLUMN cost numeric DEFAULT 0.5, ADD COLUMN n serial',
      "COMMENT ON TABLE api_usage IS 'calls'",
      "COMMENT ON COLUMN api_usage.cost IS 'in cents'",
      'ALTER TABLE api_usage ADD CONSTRAINT cost_is_positive CHECK (cost >= 0)',
      'CREATE INDEX api_usage_cost_idx ON api_usage (cost) WHERE cost > 1',
      'GRANT SELECT, INSERT ON api_usage TO PUBLIC',
      `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.city := 'noted'; RETURN NEW; END $$`,
      'CREATE TRIGGER note BEFORE INSERT ON api_usage FOR EACH ROW EXECUTE FUNCTION note()',
    ]);
    await fillCalls(sql, 20_000, 100);
    const before = await facts('api_usage');
    const writer = startWriter(database.url, 'api_usage');
    await writer.wroteAgain();
    expect(await convert('api_usage')).toBe('converted');
    await writer.wroteAgain();
    await writer.wroteAgain();
    const written = await writer.stop();
    expect(await count('api_usage')).toBe(20_000 + written);
    expect(await facts('api_usage')).toEqual(before);
    const [after] = await sql`
      SELECT obj_description('api_usage'::regclass) AS comment, col_description('api_usage'::regclass, 21) AS cents,
        has_table_privilege('public', 'api_usage', 'INSERT') AS granted,
        (SELECT count(DISTINCT n) = count(*) FROM api_usage) AS numbered,
        (SELECT city FROM api_usage ORDER BY requested_at DESC LIMIT 1) AS city`;
    expect(after).toEqual({
      comment: 'calls',
      cents: 'in cents',
      granted: true,
      numbered: true,
      city: 'noted',
    });
    await expect(sql`UPDATE api_usage SET cost = -1`).rejects.toThrow(/cost_is_positive/);
    // The old table's rows are where they were: nothing was rewritten, and nothing is left of the way there.
    expect(await count('vitals_partitions.api_usage_history')).toBe(20_000 + written);
    expect(await sql`SELECT 1 FROM pg_constraint WHERE conname LIKE '%partition_range'`).toEqual([]);
    expect(await convert('api_usage')).toBe('already');
    // Adoption, and what the worker keeps, find it in order.
    const report = await adoptDatabase(database.url, migrationsDir);
    const texts = report.tables.find(({ table }) => table === 'api_usage')?.findings.map(({ text }) => text);
    expect(texts?.filter((text) => !text.includes('left alone'))).toEqual([]);
    expect(report.extraTables).toEqual(['apiKey', 'circuit_breakers', 'server_metrics']);
    const kept = (await keep(Date.now() + 3 * WEEK_MS)).find(({ table }) => table === 'api_usage');
    expect(kept?.made.length).toBeGreaterThan(1);
  });

  it('keeps its foreign keys, and a server takes its history with it', async () => {
    await adoptGateway();
    await sql`INSERT INTO mcp_server_health_check (server_id, status, checked_at)
      SELECT 'one', 'healthy', now() - n * interval '1 minute' FROM generate_series(1, 6000) n`;
    const writer = startWriter(database.url, 'mcp_server_health_check');
    await writer.wroteAgain();
    expect(await convert('mcp_server_health_check')).toBe('converted');
    const written = await writer.stop();
    expect(await count('mcp_server_health_check')).toBe(6000 + written);
    await expect(
      sql`INSERT INTO mcp_server_health_check (server_id, status, checked_at) VALUES ('none', 'healthy', now())`,
    ).rejects.toThrow(/foreign key/);
    await sql`DELETE FROM mcp_server WHERE id = 'one'`;
    expect(await count('mcp_server_health_check')).toBe(0);
  });

  it('can be ended before any statement and begun again', async () => {
    await adoptGateway();
    await fillCalls(sql, 6000, 50);
    let endings = 0;
    for (let at = 1; ; at += 1) {
      let statements = 0;
      const result = await convert('api_usage', {
        onStatement: () => {
          statements += 1;
          if (statements === at) throw new Error('ended');
        },
      }).catch((error: Error) => error.message);
      // What the gateway does goes on meanwhile.
      await fillCalls(sql, 1, 1);
      endings += result === 'ended' ? 1 : 0;
      expect(await count('api_usage')).toBe(6000 + endings + (result === 'ended' ? 0 : 1));
      if (result === 'converted') break;
      expect(result).toBe('ended');
    }
    // The index and the check alone are kept from one attempt to the next: the swap is one transaction.
    expect(endings).toBeGreaterThan(15);
  });

  it('goes on after its session was cut off in the middle of the index', async () => {
    await adoptGateway();
    await fillCalls(sql, 6000, 50);
    const blocker = await sql.reserve();
    await blocker`BEGIN`;
    await blocker`INSERT INTO api_usage (path, method, status_code, requested_at) VALUES ('/', 'GET', 200, now())`;
    const cut = convert('api_usage').catch((error: unknown) => error);
    const [pid] = await untilSome(
      () => sql`SELECT p.pid FROM pg_stat_progress_create_index p JOIN pg_stat_activity a USING (pid)
        WHERE p.datname = current_database() AND a.wait_event_type = 'Lock'`,
    );
    await sql`SELECT pg_terminate_backend(${pid?.pid})`;
    expect(await cut).toBeInstanceOf(Error);
    await blocker`COMMIT`;
    blocker.release();
    expect(
      await sql`SELECT indisvalid FROM pg_index WHERE indexrelid = 'api_usage_partition_key'::regclass`,
    ).toEqual([{ indisvalid: false }]);
    expect(await convert('api_usage')).toBe('converted');
    expect(await count('api_usage')).toBe(6001);
  });

  it('is left as it is by a dry run, which tells every statement', async () => {
    await adoptGateway();
    await fillCalls(sql, 6000, 50);
    const catalogue = () => sql`SELECT oid, relname, relfilenode, relnamespace FROM pg_class ORDER BY oid`;
    const before = await catalogue();
    const statements: string[] = [];
    const result = await convert('api_usage', {
      dryRun: true,
      onStatement: (text) => void statements.push(text),
    });
    expect(result).toBe('planned');
    expect(await catalogue()).toEqual(before);
    const told = statements.join(';\n');
    for (const part of [
      'CREATE UNIQUE INDEX CONCURRENTLY',
      'NOT VALID',
      'VALIDATE CONSTRAINT',
      'ATTACH PARTITION',
    ])
      expect(told).toContain(part);
    // What it tells is what it does.
    const done: string[] = [];
    await convert('api_usage', { onStatement: (text) => void done.push(text) });
    const timeless = (text: string) => text.replace(/'20[^']+'/g, 'time');
    expect(statements.filter((text) => !/^(BEGIN|COMMIT)$/.test(text)).map(timeless)).toEqual(
      done.map(timeless),
    );
  });

  it('is refused, unchanged and with every reason, where something of it would be lost', async () => {
    await adoptGateway([
      'CREATE VIEW calls AS SELECT path FROM api_usage',
      'CREATE TABLE bill (call uuid REFERENCES api_usage(id))',
      'ALTER TABLE api_usage ALTER COLUMN requested_at DROP NOT NULL',
      'ALTER TABLE api_usage ADD CONSTRAINT once UNIQUE (path)',
      'ALTER TABLE api_usage ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE api_usage ADD COLUMN n int GENERATED ALWAYS AS IDENTITY',
    ]);
    const before = await facts('api_usage');
    const error = await convert('api_usage').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PartitioningRefusedError);
    for (const reason of [
      /view calls uses it/,
      /foreign key bill\.\w+ points to it/,
      /requested_at may be null/,
      /once keeps \(path\) unique/,
      /row-level security/,
      /identity columns \(n\)/,
    ])
      expect(String(error)).toMatch(reason);
    expect(await facts('api_usage')).toEqual(before);
  });

  it('with rows of the future is refused, and no check stays that would keep others from writing', async () => {
    await adoptGateway();
    await fillCalls(sql, 6000, 50);
    await sql`UPDATE api_usage SET requested_at = '2099-01-01' WHERE id IN (SELECT id FROM api_usage LIMIT 3)`;
    await expect(convert('api_usage')).rejects.toThrow(/3 of its rows are of the future/);
    expect(await sql`SELECT conname FROM pg_constraint WHERE conname LIKE '%partition_range'`).toEqual([]);
  });

  it('does not keep the check of a conversion that was given up until it refuses what is written', async () => {
    await adoptGateway();
    await sql`ALTER TABLE api_usage ADD CONSTRAINT api_usage_partition_range CHECK (requested_at < '2030-01-07 00:00:00+00') NOT VALID`;
    await keep(Date.parse('2029-12-30'));
    expect(await sql`SELECT conname FROM pg_constraint WHERE conname LIKE '%partition_range'`).toHaveLength(
      1,
    );
    await keep(Date.parse('2030-01-05'));
    expect(await sql`SELECT conname FROM pg_constraint WHERE conname LIKE '%partition_range'`).toEqual([]);
  });
});

describe('the partitions', () => {
  it('are there in a database that we made, and none of a gateway’s is touched', async () => {
    await use(createTestDatabase());
    expect((await readPartitions(sql)).map(({ kind }) => kind)).toEqual(Array(5).fill('ours'));
    await sql.end();
    await database.close();
    await adoptGateway();
    expect((await readPartitions(sql)).map(({ kind }) => kind)).toEqual(Array(5).fill('plain'));
  });

  it('are made ahead, without a gap, and the default one is emptied into those of its rows’ time', async () => {
    await use(createTestDatabase());
    await fillCalls(sql, 300, 40);
    const later = Date.now() + 5 * WEEK_MS;
    await sql`INSERT INTO api_usage (path, method, status_code, requested_at) VALUES ('/', 'GET', 200, '1970-01-01'),
      ('/', 'GET', 200, '2099-01-01'), ('/', 'GET', 200, ${new Date(later)})`;
    const usage = (await keep(later)).find(({ table }) => table === 'api_usage');
    expect(usage?.defaultRows).toBe(2);
    expect(usage?.moved).toBeGreaterThan(200);
    expect(await count('api_usage')).toBe(303);
    const [state] = await readPartitions(sql, [specOf('api_usage')]);
    const times = state?.partitions.filter(({ isDefault }) => !isDefault) ?? [];
    const last = times.at(-1);
    expect(last?.fromMs).toBeGreaterThan(later);
    // From the week of the oldest row to that of the newest.
    expect(times.slice(1, 8).map(({ fromMs }) => fromMs)).toEqual(times.slice(0, 7).map(({ toMs }) => toMs));
    // Once more there is nothing to do.
    expect((await keep(later)).flatMap(({ made }) => made)).toEqual([]);
  });

  it('lose no row that is written to the default one while it is emptied', async () => {
    await use(createTestDatabase());
    await sql`INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
      VALUES ('one', 'One', '', '', 'http', 'o', now(), now())`;
    const later = Date.now() + 8 * WEEK_MS;
    const writer = startWriter(database.url, 'mcp_server_health_check', `'${new Date(later).toISOString()}'`);
    await writer.wroteAgain();
    await keep(later);
    await writer.wroteAgain();
    await writer.wroteAgain();
    const written = await writer.stop();
    expect(await count('mcp_server_health_check')).toBe(written);
    expect(await count('vitals_partitions.mcp_server_health_check_default')).toBe(0);
  });
});

async function untilSome<Row>(ask: () => PromiseLike<readonly Row[]>): Promise<readonly Row[]> {
  for (;;) {
    const rows = await ask();
    if (rows.length > 0) return rows;
  }
}
