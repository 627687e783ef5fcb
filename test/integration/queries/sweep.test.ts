import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { startRun } from '../../../src/db/queries/run.ts';
import {
  type Claim,
  type ClaimOptions,
  claimDue,
  findUnscheduled,
  releaseClaims,
  scheduleServers,
} from '../../../src/db/queries/sweep.ts';
import { createTestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';

let connection: DatabaseConnection;
let database: Awaited<ReturnType<typeof createTestDatabase>>;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  await connection.db.execute(sql`DELETE FROM mcp_server`);
});

const OPTIONS: ClaimOptions = {
  limit: 500,
  perHost: 4,
  leaseMs: 60_000,
  lateAfterMs: 30_000,
  lateQuota: () => 20,
};
async function claim(options: Partial<ClaimOptions> = {}): Promise<Claim> {
  return (await claimDue(connection.db, { ...OPTIONS, ...options })) ?? { servers: [], heldBack: 0 };
}

async function schedule(
  servers: { id: string; hostKey?: string; dueForMs?: number; checked?: boolean }[],
): Promise<void> {
  const { db } = connection;
  for (const { id } of servers) await registerServer(db, { id });
  await scheduleServers(
    db,
    servers.map(({ id, hostKey, dueForMs }) => ({
      serverId: id,
      hostKey: hostKey ?? id,
      nextProbeMs: Math.round(Date.now() - (dueForMs ?? 10)),
    })),
  );
  for (const { id, checked } of servers) {
    if (checked) {
      await db.execute(
        sql`UPDATE vitals.server_state SET last_probe_at = now() - interval '1 hour' WHERE server_id = ${id}`,
      );
      await db.execute(
        sql`UPDATE mcp_server SET status = 'active', last_health_check = now() WHERE id = ${id}`,
      );
    }
  }
}

describe('the schedule', () => {
  test('finds registered servers that it does not know, once', async () => {
    await registerServer(connection.db, { id: 'a', healthCheckInterval: 60 });
    const found = await findUnscheduled(connection.db, 10);
    expect(found).toEqual([
      {
        id: 'a',
        endpointUrl: 'http://127.0.0.1:1/a',
        transportType: 'http',
        intervalSeconds: 60,
        checkedBefore: false,
      },
    ]);
    const row = { serverId: 'a', hostKey: 'h', nextProbeMs: Date.now() };
    await Promise.all([scheduleServers(connection.db, [row]), scheduleServers(connection.db, [row])]);
    expect(await findUnscheduled(connection.db, 10)).toEqual([]);
  });

  test('sums the history that a server brings along', async () => {
    await registerServer(connection.db, { id: 'a' });
    await connection.db.execute(sql`
      INSERT INTO mcp_server_health_check (id, server_id, status, response_time, checked_at)
      SELECT gen_random_uuid(), 'a', CASE WHEN n = 1 THEN 'timeout' ELSE 'healthy' END, 100, now() FROM generate_series(1, 4) n`);
    await scheduleServers(connection.db, [{ serverId: 'a', hostKey: 'h', nextProbeMs: Date.now() }]);
    const rows = await connection.db.execute(sql`SELECT checks, healthy, responses FROM vitals.uptime_day`);
    expect([...rows]).toEqual([{ checks: 4, healthy: 3, responses: 4 }]);
  });

  test('takes a history whose JSON PostgreSQL itself will not read', async () => {
    await registerServer(connection.db, { id: 'a' });
    const metrics = '{"note":"a\\u0000b","custom":{"verdict":"unknown"}}';
    await connection.db.execute(sql`
      INSERT INTO mcp_server_health_check (id, server_id, status, response_time, metrics, checked_at)
      VALUES (gen_random_uuid(), 'a', 'healthy', 100, ${metrics}::json, now())`);
    await scheduleServers(connection.db, [{ serverId: 'a', hostKey: 'h', nextProbeMs: Date.now() }]);
    const rows = await connection.db.execute(sql`SELECT checks, healthy FROM vitals.uptime_day`);
    expect([...rows]).toEqual([{ checks: 1, healthy: 1 }]);
  });
});

describe('a claim', () => {
  test('takes what is due, once, and gives it back on request', async () => {
    await schedule([{ id: 'due' }, { id: 'later', dueForMs: -60_000 }]);
    const first = await claim();
    expect(first.servers).toMatchObject([{ serverId: 'due', firstCheck: true }]);
    expect(first.servers[0]?.lagMs).toBeGreaterThanOrEqual(0);
    expect((await claim()).servers).toEqual([]);
    await releaseClaims(connection.db, ['due']);
    expect((await claim()).servers).toHaveLength(1);
  });

  test('comes back when its lease has run out', async () => {
    await schedule([{ id: 'a' }]);
    await claim({ leaseMs: 0 });
    expect((await claim()).servers).toHaveLength(1);
  });

  test('leaves room on each host, and says how many it held back', async () => {
    await schedule([
      ...Array.from({ length: 10 }, (_, index) => ({ id: `shared-${index}`, hostKey: 'shared' })),
      { id: 'other', hostKey: 'other' },
    ]);
    const first = await claim();
    expect(first.servers.filter(({ serverId }) => serverId.startsWith('shared'))).toHaveLength(4);
    expect(first.servers.map(({ serverId }) => serverId)).toContain('other');
    expect(first.heldBack).toBe(6);
    expect(await claim()).toEqual({ servers: [], heldBack: 6 });
  });

  test('never gives one server to two sweeps at once', async () => {
    await schedule(Array.from({ length: 40 }, (_, index) => ({ id: `s${index}` })));
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim({ limit: 10 })));
    const ids = claims.flatMap(({ servers }) => servers.map(({ serverId }) => serverId));
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('spreads an overdue fleet: only the quota goes at once, servers on time are not kept waiting', async () => {
    await schedule([
      ...Array.from({ length: 50 }, (_, index) => ({
        id: `late-${index}`,
        dueForMs: 3_600_000,
        checked: true,
      })),
      { id: 'on-time', checked: true },
    ]);
    const { servers } = await claim({ lateQuota: () => 20 });
    expect(servers.filter(({ serverId }) => serverId.startsWith('late'))).toHaveLength(20);
    expect(servers.map(({ serverId }) => serverId)).toContain('on-time');
  });

  test('lets no crowded host use up the quota of the late', async () => {
    await schedule([
      ...Array.from({ length: 30 }, (_, index) => ({
        id: `crowd-${index}`,
        hostKey: 'crowd',
        dueForMs: 7_200_000,
        checked: true,
      })),
      ...Array.from({ length: 5 }, (_, index) => ({
        id: `alone-${index}`,
        dueForMs: 3_600_000,
        checked: true,
      })),
    ]);
    const { servers } = await claim({ lateQuota: () => 20 });
    expect(servers.filter(({ serverId }) => serverId.startsWith('alone'))).toHaveLength(5);
    expect(servers.filter(({ serverId }) => serverId.startsWith('crowd'))).toHaveLength(4);
  });

  test('follows an interval that the gateway shortened', async () => {
    await schedule([{ id: 'a', dueForMs: -80_000_000, checked: true }]);
    await connection.db.execute(sql`UPDATE mcp_server SET health_check_interval = 5`);
    await claim();
    const [row] = await connection.db.execute<{ soon: boolean }>(
      sql`SELECT next_probe_at <= now() + interval '5 seconds' AS soon FROM vitals.server_state`,
    );
    expect(row?.soon).toBe(true);
  });

  test('is refused while another sweep is at it', async () => {
    await schedule([{ id: 'a' }]);
    const other = await connection.sql.reserve();
    await other`SELECT pg_advisory_lock(hashtext('vitals:sweep'))`;
    expect(await claimDue(connection.db, OPTIONS)).toBeNull();
    await other`SELECT pg_advisory_unlock(hashtext('vitals:sweep'))`;
    other.release();
    expect((await claim()).servers).toHaveLength(1);
  });

  test('respects a person who set a server to inactive, but not our own inactive', async () => {
    await schedule([
      { id: 'by-person', checked: true },
      { id: 'by-us', checked: true },
    ]);
    await connection.db.execute(sql`UPDATE mcp_server SET status = 'inactive'`);
    await connection.db.execute(
      sql`UPDATE vitals.server_state SET status_written = 'inactive' WHERE server_id = 'by-us'`,
    );
    expect((await claim()).servers).toMatchObject([{ serverId: 'by-us' }]);
  });

  test('hands first checks out first', async () => {
    await schedule([{ id: 'old', dueForMs: 20_000, checked: true }, { id: 'new' }]);
    expect((await claim({ limit: 1 })).servers).toMatchObject([{ serverId: 'new' }]);
  });
});

describe('a run', () => {
  const start = (serverId: string, slotMs: number | null = null, perHost = 4) =>
    startRun(connection.db, {
      serverId,
      slotMs,
      token: `token-${Math.random()}`,
      budgetMsOf: () => 60_000,
      perHost,
    });

  test('is alone on its server, also when many ask at once', async () => {
    await schedule([{ id: 'a' }]);
    const starts = await Promise.all(Array.from({ length: 10 }, () => start('a')));
    expect(starts.filter(({ state }) => state === 'started')).toHaveLength(1);
    expect(starts.filter(({ state }) => state === 'running')).toHaveLength(9);
  });

  test('finds at most so many others on its host, also when many ask at once', async () => {
    await schedule(Array.from({ length: 12 }, (_, index) => ({ id: `s${index}`, hostKey: 'one' })));
    const starts = await Promise.all(Array.from({ length: 12 }, (_, index) => start(`s${index}`)));
    expect(starts.filter(({ state }) => state === 'started')).toHaveLength(4);
    expect(starts.filter(({ state }) => state === 'parked')).toHaveLength(8);
  });

  test('counts as gone when its server was not there to be locked, though it is put there meanwhile', async () => {
    await registerServer(connection.db, { id: 'late' });
    const nextProbeMs = Date.now() - 60_000;
    // What a sweep does between the two statements of a run.
    const raced: Pick<typeof connection.db, 'transaction'> = {
      transaction: (work, config) =>
        connection.db.transaction(async (tx) => {
          const execute = tx.execute.bind(tx);
          tx.execute = ((query: Parameters<typeof execute>[0]) => {
            tx.execute = execute;
            return execute(query).then(async (rows) => {
              await scheduleServers(connection.db, [{ serverId: 'late', hostKey: 'one', nextProbeMs }]);
              return rows;
            });
          }) as typeof execute;
          return await work(tx);
        }, config),
    };
    const request = { serverId: 'late', slotMs: null, token: 't', budgetMsOf: () => 60_000, perHost: 4 };
    expect(await startRun(raced, request)).toEqual({ state: 'gone' });
    expect(await startRun(connection.db, request)).toMatchObject({ state: 'started' });
  });

  test('that finds its host full leaves the server to the next sweep', async () => {
    await schedule(
      Array.from({ length: 2 }, (_, index) => ({ id: `s${index}`, hostKey: 'one', dueForMs: -60_000 })),
    );
    expect(await start('s0', null, 1)).toMatchObject({ state: 'started' });
    expect(await start('s1', null, 1)).toEqual({ state: 'parked' });
    const [row] = await connection.db.execute<{ due: boolean }>(
      sql`SELECT next_probe_at <= now() AS due FROM vitals.server_state WHERE server_id = 's1'`,
    );
    expect(row?.due).toBe(true);
  });

  test('cannot be held up for ever by one that froze in the middle', async () => {
    await schedule([{ id: 'a', hostKey: 'one' }]);
    const frozen = connection.sql.begin(async (tx) => {
      await tx`SELECT set_config('idle_in_transaction_session_timeout', '500', true),
        pg_advisory_xact_lock(hashtext('vitals:host'), hashtext('one'))`;
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await tx`SELECT 1`;
    });
    const [started] = await Promise.all([start('a'), expect(frozen).rejects.toThrow()]);
    expect(started.state).toBe('started');
  });

  test('is refused for a slot that was served, and for a server that is gone', async () => {
    await schedule([{ id: 'a', dueForMs: -60_000 }]);
    expect(await start('a', Date.now() - 1000)).toEqual({ state: 'stale' });
    expect(await start('nobody')).toEqual({ state: 'gone' });
  });
});
