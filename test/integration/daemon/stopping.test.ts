import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../../src/db/client.ts';
import { mcpServerHealthCheck, serverState } from '../../../src/db/schema/index.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  type TestDatabase,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';
import { startTinyMcp, type TinyMcp } from '../../support/tiny-mcp.ts';

let database: TestDatabase;
let tiny: TinyMcp;
const daemons: TestDaemon[] = [];

async function start(changes: Parameters<typeof testConfig>[1] = {}): Promise<TestDaemon> {
  const daemon = await startTestDaemon(testConfig(database.url, changes));
  daemons.push(daemon);
  return daemon;
}

beforeEach(async () => {
  await clearQueue();
  database = await createTestDatabase();
  tiny = await startTinyMcp();
});
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.stop();
  await tiny.close();
  await database.close();
});

async function withDatabase<Result>(use: (db: TestDaemon['db']) => Promise<Result>): Promise<Result> {
  const connection = connectDatabase(database.url);
  try {
    return await use(connection.db);
  } finally {
    await connection.close();
  }
}

const handshakeBegun = () => eventually('a probe in flight', () => (tiny.peak.total > 0 ? true : undefined));

describe('a stop', () => {
  test('lets what is in flight end, and stores it', async () => {
    const daemon = await start();
    tiny.delayMs = 700;
    await registerServer(daemon.db, { id: 'slow', endpointUrl: `${tiny.url}/slow` });
    await handshakeBegun();
    await daemon.stop();
    await withDatabase(async (db) => {
      expect(await db.select().from(mcpServerHealthCheck)).toMatchObject([
        { serverId: 'slow', status: 'healthy' },
      ]);
    });
    expect(tiny.sessions.size).toBe(0);
  });

  test('gives back what does not end in time, and the next daemon probes it at once', async () => {
    const first = await start({ shutdownMs: 4_500 });
    tiny.delayMs = 4_000;
    await registerServer(first.db, { id: 'stuck', endpointUrl: `${tiny.url}/stuck` });
    await handshakeBegun();
    await first.stop();
    await withDatabase(async (db) => {
      const state = await db.query.serverState.findFirst({ where: eq(serverState.serverId, 'stuck') });
      expect(state).toMatchObject({ verdict: null, runToken: null, leaseUntil: null });
      expect(await db.select().from(mcpServerHealthCheck)).toEqual([]);
    });
    tiny.delayMs = 0;
    const second = await start();
    const verdict = await eventually('the verdict', async () => {
      const state = await second.db.query.serverState.findFirst({ where: eq(serverState.serverId, 'stuck') });
      return state?.verdict ?? undefined;
    });
    expect(verdict).toBe('up');
  });

  test('may be called twice, and before anything was started', async () => {
    const daemon = await start();
    await Promise.all([daemon.stop(), daemon.stop()]);
    await daemon.stop();
  });
});

describe('losing the queue', () => {
  test('costs a late probe, never a lost server', async () => {
    const first = await start();
    await registerServer(first.db, { id: 'kept', endpointUrl: `${tiny.url}/kept` });
    await eventually('the first handshake', () => tiny.handshakes.get('/kept'));
    await first.stop();
    await clearQueue();
    await withDatabase(async (db) => {
      // A claim whose job is gone: nothing but the lease knows of it.
      await db.execute(
        sql`UPDATE vitals.server_state SET next_probe_at = now(), lease_until = now() + interval '2 seconds'`,
      );
    });
    await start();
    await eventually('the second handshake', () =>
      (tiny.handshakes.get('/kept') ?? 0) >= 2 ? true : undefined,
    );
  });
});

describe('two daemons', () => {
  test('share the work: each slot is probed once', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    for (let index = 0; index < 20; index += 1) {
      await registerServer(one.db, { id: `shared-${index}`, endpointUrl: `${tiny.url}/shared-${index}` });
    }
    await eventually('all handshakes', () => (tiny.handshakes.size === 20 ? true : undefined));
    await Promise.all([one.stop(), two.stop()]);
    expect([...tiny.handshakes.values()]).toEqual(new Array(20).fill(1));
  });
});
