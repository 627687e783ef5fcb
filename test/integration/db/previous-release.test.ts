import { readFileSync } from 'node:fs';
import type { Sql } from 'postgres';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectDatabase, openClient } from '../../../src/db/client.ts';
import { applyPending, migrateDatabase } from '../../../src/db/migrate.ts';
import { withMigrationLock } from '../../../src/db/migrations/migration-lock.ts';
import { readMigrations } from '../../../src/db/migrations/read-migrations.ts';
import { readPartitions } from '../../../src/db/partitions/read-partitions.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';
import { fillCalls, startWriter } from '../../support/partitions.ts';

/** The last migration of the release before this one; its queries are in the fixture, as it sends them. */
const PREVIOUS = '0004_gateway_indexes';

interface Query {
  name: string;
  statements: { text: string; params: (string | number)[] }[];
}
const queries: Query[] = JSON.parse(
  readFileSync(new URL('../../fixtures/previous-release.json', import.meta.url), 'utf8'),
);

let database: TestDatabase;
let sql: Sql;
beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  sql = openClient(database.url, { poolSize: 2 });
});
afterEach(async () => {
  await sql.end();
  await database.close();
});

/** Runs all of the queries again and again on one connection, as the old release would. */
function startRelease(url: string): {
  roundsDone: (more: number) => Promise<void>;
  stop: () => Promise<number>;
} {
  // As Drizzle sets it up: JSON goes as the text that it is.
  const { sql: client } = connectDatabase(url, { poolSize: 1 });
  let stopped = false;
  let rounds = 0;
  let tell: () => void = () => undefined;
  const running = (async () => {
    await client`SET lock_timeout = '20s'`;
    while (!stopped) {
      for (const { name, statements } of queries)
        for (const { text, params } of statements)
          await client.unsafe(text, params, { prepare: true }).catch((error: Error) => {
            throw new Error(`${name}: ${error.message}`);
          });
      rounds += 1;
      tell();
    }
  })();
  running.catch(() => undefined);
  return {
    async roundsDone(more) {
      const until = rounds + more;
      const reached = new Promise<void>((resolve) => {
        tell = () => {
          if (rounds >= until) resolve();
        };
      });
      // Whoever waits is told of a failure, too.
      await Promise.race([reached, running]);
    },
    async stop() {
      stopped = true;
      try {
        await running;
      } finally {
        await client.end();
      }
      return rounds;
    },
  };
}

it('goes on reading and writing while the new release migrates: no query fails, or waits for long', async () => {
  const migrations = readMigrations(migrationsDir);
  const old = migrations.slice(0, migrations.findIndex(({ tag }) => tag === PREVIOUS) + 1);
  expect(old.length).toBeGreaterThan(0);
  await withMigrationLock(sql, (session) => applyPending(session, old));
  await sql`INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
    VALUES ('one', 'One', '', '', 'http', 'o', now(), now())`;
  await fillCalls(sql, 8000, 60);
  await sql`INSERT INTO mcp_server_health_check (server_id, status, checked_at)
    SELECT 'one', 'healthy', now() - n * interval '1 minute' FROM generate_series(1, 500) n`;
  const release = startRelease(database.url);
  const gateway = startWriter(database.url, 'api_usage');
  const worker = startWriter(database.url, 'mcp_server_health_check');
  await release.roundsDone(2);
  const { applied } = await migrateDatabase(database.url, migrationsDir);
  expect(applied).toEqual(migrations.slice(old.length).map(({ tag }) => tag));
  // On the new schema, with the statements that were prepared on the old one.
  await release.roundsDone(2);
  const rounds = await release.stop();
  const calls = await gateway.stop();
  const checks = await worker.stop();
  expect((await readPartitions(sql)).map(({ kind }) => kind)).toEqual(Array(5).fill('ours'));
  const [row] = await sql`
    SELECT (SELECT count(*)::int FROM api_usage) AS calls, (SELECT count(*)::int FROM mcp_server_health_check) AS checks`;
  expect(row?.calls).toBe(8000 + calls);
  // Each round of the old release stores a check.
  expect(row?.checks).toBe(500 + checks + rounds);
});
