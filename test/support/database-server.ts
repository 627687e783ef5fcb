/**
 * vitest's global set-up: one PostgreSQL server for the whole run, and in it a migrated database that
 * `createTestDatabase` copies.
 *
 * The embedded one unless TEST_POSTGRES_BIN names a folder with another version's initdb and postgres,
 * or TEST_DATABASE_URL a server whose role may create databases.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openClient } from '../../src/db/client.ts';
import { openEmbedded } from '../../src/db/embedded/open-embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { migrationsDir } from './migrations-dir.ts';
import letChildrenRunTypescript from './typescript-children.ts';

export interface TestServer {
  /** The server's maintenance database. */
  url: string;
  /** The migrated database to copy. */
  template: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    testServer: TestServer;
  }
}

async function openServer(): Promise<{ url: string; close(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, close: async () => undefined };
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-vitals-db-'));
  const folder = process.env.TEST_POSTGRES_BIN;
  const server = await openEmbedded({ dataDir, ...(folder ? { binaries: { folder } } : {}) });
  return {
    url: server.url,
    async close() {
      await server.close();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
    },
  };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  letChildrenRunTypescript();
  const server = await openServer();
  const template = `vitals_test_template_${randomBytes(4).toString('hex')}`;
  const sql = openClient(server.url, { poolSize: 1 });
  try {
    await sql.unsafe(`CREATE DATABASE ${template}`);
    const url = new URL(server.url);
    url.pathname = `/${template}`;
    await migrateDatabase(url.href, migrationsDir);
  } catch (error) {
    await sql.end();
    await server.close();
    throw error;
  }
  project.provide('testServer', { url: server.url, template });
  return async () => {
    await sql.unsafe(`DROP DATABASE IF EXISTS ${template}`);
    await sql.end();
    await server.close();
  };
}
