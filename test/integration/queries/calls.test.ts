import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { hurryFailing, readFailingCalls } from '../../../src/db/queries/calls.ts';
import { scheduleServers } from '../../../src/db/queries/sweep.ts';
import { apiUsage, mcpServer, serverState } from '../../../src/db/schema/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';
import { recordCalls } from '../../support/usage.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
const POLICY = DEFAULT_POLICY.calls;
const HOUR = 3_600_000;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 4 });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  await connection.db.delete(apiUsage);
  await connection.db.delete(mcpServer);
});

/** A server that was probed a minute ago, with its next slot far away. */
async function server(id: string, changes: Partial<typeof serverState.$inferInsert> = {}): Promise<void> {
  const { db } = connection;
  await registerServer(db, { id, status: 'active', lastHealthCheck: new Date() });
  await scheduleServers(db, [{ serverId: id, hostKey: id, nextProbeMs: Date.now() + HOUR }]);
  const lastProbeAt = new Date(Date.now() - 60_000);
  await db
    .update(serverState)
    .set({ verdict: 'up', reason: 'ok', lastProbeAt, ...changes })
    .where(eq(serverState.serverId, id));
}
const stateOf = (id: string) =>
  connection.db.query.serverState.findFirst({ where: eq(serverState.serverId, id) });

describe('readFailingCalls', () => {
  test.each<[string, Record<number, number>, { calls: number; errors: number } | undefined]>([
    ['enough 5xx', { 200: 16, 500: 3, 503: 1 }, { calls: 20, errors: 4 }],
    ['too few calls', { 500: 19 }, undefined],
    ['too few of them', { 200: 17, 502: 3 }, undefined],
    ['what callers did wrong', { 400: 20, 401: 20, 403: 20, 404: 20, 429: 20 }, undefined],
    ['none', {}, undefined],
  ])('%s', async (_what, calls, expected) => {
    await registerServer(connection.db, { id: 'one' });
    await registerServer(connection.db, { id: 'other' });
    await recordCalls(connection.db, 'one', calls);
    const failing = await readFailingCalls(connection.db, ['one', 'other', 'gone'], POLICY, Date.now());
    expect(failing.get('one')).toEqual(expected);
    expect(failing.size).toBe(expected ? 1 : 0);
  });

  test('only those of the window, and none of the future', async () => {
    await registerServer(connection.db, { id: 'one' });
    await recordCalls(connection.db, 'one', { 500: 30 }, POLICY.windowMs + 60_000);
    await recordCalls(connection.db, 'one', { 500: 30 }, -10 * HOUR);
    expect(await readFailingCalls(connection.db, ['one'], POLICY, Date.now())).toEqual(new Map());
    expect((await readFailingCalls(connection.db, ['one'], POLICY, Date.now() - 120_000)).get('one')).toEqual(
      {
        calls: 30,
        errors: 30,
      },
    );
  });
});

describe('hurryFailing', () => {
  test('makes a server due whose calls fail while it is up, and at most once a minute', async () => {
    await server('failing');
    await server('fine');
    await recordCalls(connection.db, 'failing', { 500: 30 });
    await recordCalls(connection.db, 'fine', { 200: 30 });
    const before = Date.now();
    expect(await hurryFailing(connection.db, POLICY)).toEqual(['failing']);
    expect(Number((await stateOf('failing'))?.nextProbeAt)).toBeLessThan(before + 5_000);
    expect(Number((await stateOf('fine'))?.nextProbeAt)).toBeGreaterThan(before + HOUR / 2);
    expect(await hurryFailing(connection.db, POLICY)).toEqual([]);
    // It was put off once more, say for its budget: not before a minute has passed.
    const later = new Date(Date.now() + HOUR);
    await connection.db.update(serverState).set({ nextProbeAt: later });
    expect(await hurryFailing(connection.db, POLICY)).toEqual([]);
    await connection.db.update(serverState).set({ hurriedAt: new Date(Date.now() - 61_000) });
    expect(await hurryFailing(connection.db, POLICY)).toEqual(['failing']);
  });

  test.each<[string, Partial<typeof serverState.$inferInsert>]>([
    ['is down already', { verdict: 'down', reason: 'refused' }],
    ['is known to fail', { verdict: 'degraded', reason: 'calls_failing' }],
    ['is down by itself, and in maintenance', { own: { verdict: 'down', reason: 'refused', message: null } }],
    ['is due', { nextProbeAt: new Date(0) }],
    ['is being probed', { runningUntil: new Date(Date.now() + HOUR), runToken: 'x' }],
  ])('leaves alone a server that %s', async (_what, changes) => {
    await server('one', changes);
    await recordCalls(connection.db, 'one', { 500: 30 });
    expect(await hurryFailing(connection.db, POLICY)).toEqual([]);
  });

  test('leaves alone a server that a person took off the schedule', async () => {
    await server('one');
    await connection.db.update(mcpServer).set({ status: 'inactive' });
    await recordCalls(connection.db, 'one', { 500: 30 });
    expect(await hurryFailing(connection.db, POLICY)).toEqual([]);
  });

  test.each<[string, Record<number, number>]>([
    ['go well again', { 200: 30 }],
    ['have ended', {}],
  ])('makes a server due that is degraded for its calls, when they %s', async (_what, calls) => {
    await server('one', { own: { verdict: 'degraded', reason: 'calls_failing', message: null } });
    await recordCalls(connection.db, 'one', calls);
    expect(await hurryFailing(connection.db, POLICY)).toEqual(['one']);
  });

  test('of a large table it reads the calls of the window alone', async () => {
    const { db } = connection;
    await server('one');
    await db.execute(sql`
      INSERT INTO api_usage (id, server_id, path, method, status_code, requested_at)
      SELECT gen_random_uuid(), 'server-' || n % 50, '/', 'POST', 200, now() - n * interval '1 minute'
      FROM generate_series(10, 20000) n`);
    await db.execute(sql`ANALYZE api_usage`);
    await recordCalls(db, 'one', { 500: 30 });
    const read = await db.transaction(async (tx) => {
      const scans = async () => {
        const [row] = await tx.execute<{ rows: number }>(sql`
          SELECT sum(pg_stat_get_xact_tuples_returned(relid))::int AS rows FROM pg_partition_tree('api_usage')`);
        return row?.rows ?? 0;
      };
      const before = await scans();
      expect(await hurryFailing(tx, POLICY)).toEqual(['one']);
      expect((await readFailingCalls(tx, ['one'], POLICY, Date.now())).size).toBe(1);
      const read = (await scans()) - before;
      // What the number means: a scan of the table shows in it.
      await tx.execute(sql`SELECT sum(status_code) FROM api_usage WHERE path <> method`);
      expect((await scans()) - before).toBeGreaterThan(19_000);
      return read;
    });
    expect(read).toBe(0);
  });
});
