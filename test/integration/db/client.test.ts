import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../../src/db/client.ts';
import { DatabaseUnreachableError } from '../../../src/db/errors.ts';
import { waitForDatabase } from '../../../src/db/wait-for-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
});
afterAll(() => database.close());

/** A loopback port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

describe('connectDatabase', () => {
  it('names itself, prepares its statements, and keeps to its pool', async () => {
    const { sql, close } = connectDatabase(database.url, { poolSize: 3, applicationName: 'the test' });
    await Promise.all(Array.from({ length: 12 }, () => sql`SELECT pg_sleep(0.02)`));
    const sessions = await sql`
      SELECT application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'the test'`;
    expect(sessions.length).toBeLessThanOrEqual(3);
    expect(sessions[0]).toEqual({ name: 'the test' });
    const [number] = [7];
    const prepared = await sql`SELECT name FROM pg_prepared_statements WHERE ${number} > 0`;
    expect(prepared.length).toBeGreaterThan(0);
    await close();
  });

  it('passes the server’s notices on', async () => {
    const notices: string[] = [];
    const { sql, close } = connectDatabase(database.url, {
      poolSize: 1,
      onNotice: (notice) => notices.push(String(notice.message)),
    });
    await sql`DROP TABLE IF EXISTS never_there`;
    await close();
    expect(notices).toEqual([expect.stringContaining('never_there')]);
  });
});

describe('waitForDatabase', () => {
  it('resolves at once when the database answers', async () => {
    const lines: string[] = [];
    await waitForDatabase(database.url, { onRetry: (line) => lines.push(line) });
    expect(lines).toEqual([]);
  });

  it('tries an unreachable one again with a line that holds no password, then gives up', async () => {
    const lines: string[] = [];
    const url = `postgres://someone:secret@127.0.0.1:${await closedPort()}/vitals`;
    const error = await waitForDatabase(url, { attempts: 3, onRetry: (line) => lines.push(line) }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(DatabaseUnreachableError);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/127\.0\.0\.1:\d+\/vitals.*ECONNREFUSED.*next try in 0\.25 s/);
    expect(`${lines.join()} ${String(error)}`).not.toContain('secret');
  });

  it('does not try again what cannot change: a wrong name', async () => {
    const wrong = new URL(database.url);
    wrong.pathname = '/no_such_database';
    const lines: string[] = [];
    await expect(waitForDatabase(wrong.href, { onRetry: (line) => lines.push(line) })).rejects.toBeInstanceOf(
      DatabaseUnreachableError,
    );
    expect(lines).toEqual([]);
  });

  it('gives up on what is no PostgreSQL, and can be called off there', async () => {
    const web = createHttpServer().listen(0, '127.0.0.1');
    await once(web, 'listening');
    try {
      const address = web.address();
      const url = `postgres://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/x`;
      await expect(waitForDatabase(url, { deadlineMs: 100 })).rejects.toBeInstanceOf(
        DatabaseUnreachableError,
      );
      const abort = new AbortController();
      web.once('connection', () => abort.abort());
      await expect(waitForDatabase(url, { signal: abort.signal })).rejects.toThrow(/abort/i);
    } finally {
      web.closeAllConnections();
      web.close();
    }
  });

  it('gives up on what never says a word, each try a real one', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined).resume());
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as AddressInfo;
      const lines: string[] = [];
      const error = await waitForDatabase(`postgres://127.0.0.1:${port}/x`, {
        deadlineMs: 2_600,
        onRetry: (line) => lines.push(line),
      }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(DatabaseUnreachableError);
      for (const text of [...lines, String(error)]) expect(text).toMatch(/no answer in [123] s/);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it('can be called off', async () => {
    const abort = new AbortController();
    const waiting = waitForDatabase(`postgres://127.0.0.1:${await closedPort()}/x`, {
      signal: abort.signal,
      onRetry: () => abort.abort(),
    });
    await expect(waiting).rejects.toThrow(/abort/i);
  });
});
