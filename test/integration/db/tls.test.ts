import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queuePoolConfig } from '../../../src/daemon/queue-pool.ts';
import { connectDatabase } from '../../../src/db/client.ts';
import { type EmbeddedDatabase, openEmbedded } from '../../../src/db/embedded/open-embedded.ts';
import { eventually } from '../../support/daemon.ts';

const certificates = fileURLToPath(new URL('../../fixtures/mcp-servers/tls', import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), 'mcp-vitals-tls-'));
let server: EmbeddedDatabase;

/** A PostgreSQL that has a certificate of our own authority. */
beforeAll(async () => {
  server = await openEmbedded({ dataDir });
  const { sql, close } = connectDatabase(server.url, { poolSize: 1 });
  const [row] = await sql<{ folder: string }[]>`SELECT current_setting('data_directory') AS folder`;
  const folder = row?.folder ?? '';
  const { uid, gid } = statSync(folder);
  for (const [from, to] of [
    ['valid.pem', 'server.crt'],
    ['key.pem', 'server.key'],
  ] as const) {
    copyFileSync(join(certificates, from), join(folder, to));
    chmodSync(join(folder, to), 0o600);
    chownSync(join(folder, to), uid, gid);
  }
  await sql`ALTER SYSTEM SET ssl = on`;
  await sql`SELECT pg_reload_conf()`;
  // A reload is asked for, not waited for.
  await eventually('TLS is on', async () => {
    const [setting] = await sql`SHOW ssl`;
    return setting?.ssl === 'on' ? true : undefined;
  });
  await close();
});
afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

function withQuery(query: string): string {
  const url = new URL(server.url);
  url.search = query;
  return url.href;
}

const ca = join(certificates, 'ca.pem');

describe('sslmode of the URL, for the database and for the queue in it', () => {
  test.each([
    ['', false],
    ['sslmode=disable', false],
    ['sslmode=prefer', true],
    ['sslmode=require', true],
    [`sslmode=verify-ca&sslrootcert=${ca}`, true],
    [`sslmode=verify-full&sslrootcert=${ca}`, true],
  ])('%s: TLS is %s', async (query, encrypted) => {
    const url = withQuery(query);
    const { sql, close } = connectDatabase(url, { poolSize: 1 });
    const pool = new pg.Pool(await queuePoolConfig({ url, sql }));
    try {
      const [database] = await sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
      expect(database?.ssl).toBe(encrypted);
      const queue = await pool.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      expect(queue.rows).toEqual([{ ssl: encrypted }]);
    } finally {
      await pool.end();
      await close();
    }
  });

  test('verify-full takes no certificate of an unknown authority', async () => {
    const { sql, close } = connectDatabase(withQuery('sslmode=verify-full'), { poolSize: 1 });
    await expect(sql`SELECT 1`).rejects.toThrow(/certificate|self.signed|issuer/i);
    await close();
  });
});
