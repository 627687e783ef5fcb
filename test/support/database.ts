import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { openClient } from '../../src/db/client.ts';

export interface TestDatabase {
  url: string;
  /** Drops it; connections that are still open are cut. */
  close(): Promise<void>;
}

interface TestDatabaseOptions {
  /** Begin with nothing in it instead of the migrated schema. */
  empty?: boolean;
}

/** A database of the test's own on the run's server: a copy of the migrated one, in a few dozen milliseconds. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = inject('testServer');
  const name = `vitals_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(`CREATE DATABASE ${name} TEMPLATE ${options.empty ? 'template0' : server.template}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return { url: url.href, close: () => runOnServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function runOnServer(statement: string): Promise<void> {
  const sql = openClient(inject('testServer').url, { poolSize: 1 });
  try {
    // Two copies of one template at once are refused by some versions while the first is being made.
    await sql`SELECT pg_advisory_lock(hashtext('mcp-vitals test databases'))`;
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
