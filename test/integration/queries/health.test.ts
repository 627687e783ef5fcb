import { eq, isNull, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { replayServer } from '../../../src/actions/replay.ts';
import type { HealthContext } from '../../../src/core/health/context.ts';
import type { ProbeOutcome } from '../../../src/core/outcome.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/core/policy.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { startRun } from '../../../src/db/queries/run.ts';
import { createProbeStore, type ProbeStore } from '../../../src/db/queries/store.ts';
import { scheduleServers } from '../../../src/db/queries/sweep.ts';
import { endUnwatchedAlerts } from '../../../src/db/queries/unwatched.ts';
import {
  alert,
  mcpServer,
  mcpServerHealthCheck,
  outbox,
  serverState,
  systemEvent,
} from '../../../src/db/schema/index.ts';
import { testConfig } from '../../support/daemon.ts';
import { createTestDatabase } from '../../support/database.ts';
import { failedWith, outcomeOf, REFUSED } from '../../support/outcomes.ts';
import { registerServer } from '../../support/registry.ts';

let connection: DatabaseConnection;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let store: ProbeStore;
let policy: Policy = DEFAULT_POLICY;
const failing = new Map<string, NonNullable<HealthContext['failingCalls']>>();

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
  store = createProbeStore(connection.db, {
    policy: () => policy,
    readFailingCalls: async () => failing,
  });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  await connection.db.execute(sql`DELETE FROM vitals.alert`);
  await connection.db.execute(sql`DELETE FROM mcp_server`);
  await connection.db.execute(sql`DELETE FROM system_event`);
  policy = DEFAULT_POLICY;
  failing.clear();
});

async function register(id: string): Promise<void> {
  await registerServer(connection.db, { id });
  await scheduleServers(connection.db, [{ serverId: id, hostKey: id, nextProbeMs: Date.now() - 10 }]);
}

interface Saved {
  atMs?: number;
  manual?: boolean;
  offline?: boolean;
}
async function save(serverId: string, outcome: ProbeOutcome, options: Saved = {}) {
  const { atMs = Date.now(), manual = false, offline = false } = options;
  const token = `token-${Math.random()}`;
  await startRun(connection.db, { serverId, slotMs: null, token, budgetMsOf: () => 60_000, perHost: 4 });
  const stored = await store.save({
    serverId,
    token,
    hostKey: 'host:1',
    slotMs: manual ? null : atMs,
    checkedAt: new Date(atMs),
    outcome,
    monitorOffline: offline,
  });
  if (!stored) throw new Error('it was not stored');
  return stored;
}

const stateRow = (id: string) =>
  connection.db.query.serverState.findFirst({ where: eq(serverState.serverId, id) });
const serverRow = (id: string) => connection.db.query.mcpServer.findFirst({ where: eq(mcpServer.id, id) });
const replayOf = (id: string, sinceMs: number, tried: Policy | null) =>
  replayServer(
    {
      config: () => testConfig(database.url),
      version: '0',
      stop: new AbortController().signal,
      lookUp: () => undefined,
      onHangup: () => () => undefined,
      onProgress: () => undefined,
    },
    { idOrName: id, sinceMs, policy: tried },
  );

describe('a confirmed outage', () => {
  test('begins and ends one alert, in the transaction of the state: row, event and outbox', async () => {
    await register('a');
    await save('a', outcomeOf());
    await save('a', failedWith(REFUSED));
    expect(await connection.db.select().from(alert)).toEqual([]);
    expect(await stateRow('a')).toMatchObject({
      own: { verdict: 'down', reason: 'refused' },
      ownStatus: 'active',
      verdict: 'down',
    });
    await save('a', failedWith(REFUSED));
    await save('a', failedWith(REFUSED));
    expect(await stateRow('a')).toMatchObject({ ownStatus: 'error', statusWritten: 'error' });
    expect((await stateRow('a'))?.failingSince).not.toBeNull();
    expect(await connection.db.select().from(alert)).toMatchObject([
      { key: 'server_down:a', severity: 'error', serverId: 'a', resolvedAt: null },
    ]);
    await save('a', outcomeOf());
    expect(await serverRow('a')).toMatchObject({ status: 'error', healthStatus: 'healthy' });
    const soon = (await stateRow('a'))?.nextProbeAt.getTime() ?? 0;
    expect(soon - Date.now()).toBeLessThanOrEqual(10_000);
    await save('a', outcomeOf());
    expect(await serverRow('a')).toMatchObject({ status: 'active', healthStatus: 'healthy' });
    expect((await stateRow('a'))?.failingSince).toBeNull();
    expect(
      (await connection.db.select().from(outbox).orderBy(outbox.id)).map((row) => row.transition),
    ).toEqual(['fire', 'resolve']);
    const told = await connection.db.select().from(systemEvent).where(eq(systemEvent.type, 'server_down'));
    expect(told).toMatchObject([{ status: 'resolved', resourceId: 'a' }]);
  });

  test('of a server whose memory is damaged is told once, and its alert still ends', async () => {
    await register('a');
    await save('a', outcomeOf());
    for (let index = 0; index < 2; index += 1) await save('a', failedWith(REFUSED));
    for (const damage of ['{"v":1,"runs":null}', '"gone"', '[]']) {
      await connection.db.execute(
        sql`UPDATE vitals.server_state SET memory = ${damage}::jsonb, latency = ${damage}::jsonb`,
      );
      await save('a', failedWith(REFUSED));
    }
    expect(await connection.db.select().from(alert)).toHaveLength(1);
    await connection.db.execute(sql`UPDATE vitals.server_state SET memory = '7'`);
    await save('a', outcomeOf());
    await save('a', outcomeOf());
    expect(await connection.db.select().from(alert)).toMatchObject([{ resolvedAt: expect.any(Date) }]);
  });

  test('is not seen by a worker that is cut off; failing calls are seen by green probes', async () => {
    await register('a');
    await save('a', outcomeOf());
    await save('a', failedWith(REFUSED), { offline: true });
    expect(await stateRow('a')).toMatchObject({ verdict: 'unknown', reason: 'monitor_offline', failures: 0 });
    failing.set('a', { calls: 50, errors: 20 });
    await save('a', outcomeOf());
    expect(await stateRow('a')).toMatchObject({
      verdict: 'degraded',
      reason: 'calls_failing',
      message: '20 of 50 real calls failed in the last minutes',
    });
    const rows = await connection.db
      .select({ status: mcpServerHealthCheck.status, metrics: mcpServerHealthCheck.metrics })
      .from(mcpServerHealthCheck)
      .orderBy(mcpServerHealthCheck.checkedAt);
    expect(rows[1]).toMatchObject({
      status: 'error',
      metrics: { custom: { verdict: 'unknown', seen: { verdict: 'down', reason: 'refused' } } },
    });
  });

  test('asks for the policy anew, and takes the objective from the server’s settings', async () => {
    await register('a');
    await connection.db
      .update(mcpServer)
      .set({ settings: sql`'{"monitor":{"slo":{"objective":0.9}}}'::json` });
    await save('a', outcomeOf(), { atMs: Date.now() - 7_200_000 });
    policy = { ...DEFAULT_POLICY, health: { ...DEFAULT_POLICY.health, failuresToDown: 1 } };
    await save('a', failedWith(REFUSED), { atMs: Date.now() - 3_600_000 });
    expect(await serverRow('a')).toMatchObject({ status: 'error' });
    await save('a', outcomeOf());
    // An hour of 72 that may be bad.
    expect((await stateRow('a'))?.errorBudgetLeft).toBeCloseTo(1 - 1 / 72, 3);
  });
});

const outcomes: fc.Arbitrary<ProbeOutcome> = fc.oneof(
  { weight: 5, arbitrary: fc.double({ min: 5, max: 60, noNaN: true }).map((ms) => timed(ms)) },
  { weight: 1, arbitrary: fc.double({ min: 500, max: 4_000, noNaN: true }).map((ms) => timed(ms)) },
  { weight: 3, arbitrary: fc.constant(failedWith(REFUSED)) },
  fc.constantFrom<ProbeOutcome>(
    {
      ...failedWith({ kind: 'timeout', phase: 'handshake', afterMs: 5_000, message: 'silence' }),
      totalMs: 5_000,
    },
    failedWith({ kind: 'http', phase: 'handshake', status: 401, message: 'who are you' }),
    failedWith({ kind: 'http', phase: 'handshake', status: 429, message: 'slower' }),
    failedWith({ kind: 'internal', message: 'our own fault' }),
    outcomeOf({ warnings: [{ code: 'list_failed', kind: 'tools', message: 'no tools' }] }),
  ),
);
const timed = (ms: number) => outcomeOf({ totalMs: ms, phases: { connect: ms / 7, handshake: ms / 2 } });

const steps = fc.array(
  fc.record({
    outcome: outcomes,
    /** Clocks of workers differ. */
    afterMs: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 1_000, max: 400_000 }) },
      fc.integer({ min: -5_000, max: 40_000_000 }),
    ),
    manual: fc.boolean(),
    offline: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    calls: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 30 })),
    before: fc.oneof(
      { weight: 15, arbitrary: fc.constant(null) },
      fc.constantFrom('maintenance', 'inactive', 'active', 'damaged', 'latency damaged'),
    ),
  }),
  { minLength: 5, maxLength: 60 },
);

async function disturb(id: string, what: string): Promise<void> {
  const { db } = connection;
  if (what === 'damaged')
    await db.execute(sql`UPDATE vitals.server_state SET memory = '[1]' WHERE server_id = ${id}`);
  else if (what === 'latency damaged')
    await db.execute(sql`UPDATE vitals.server_state SET latency = NULL WHERE server_id = ${id}`);
  else await db.execute(sql`UPDATE mcp_server SET status = ${what} WHERE id = ${id}`);
}

test('the alerts of a server that a person switches off end without a probe, and come back with it', async () => {
  await register('a');
  await register('b');
  for (const id of ['a', 'b']) await save(id, failedWith(REFUSED));
  expect(await endUnwatchedAlerts(connection.db)).toBe(0);
  await connection.db.update(mcpServer).set({ status: 'inactive' }).where(eq(mcpServer.id, 'a'));
  expect(await endUnwatchedAlerts(connection.db)).toBe(1);
  expect(await endUnwatchedAlerts(connection.db)).toBe(0);
  const open = () =>
    connection.db.select({ key: alert.key }).from(alert).where(isNull(alert.resolvedAt)).orderBy(alert.key);
  expect(await open()).toEqual([{ key: 'server_down:b' }]);
  await connection.db.update(mcpServer).set({ status: 'active' }).where(eq(mcpServer.id, 'a'));
  await save('a', failedWith(REFUSED));
  expect(await open()).toEqual([{ key: 'server_down:a' }, { key: 'server_down:b' }]);
});

describe('a replay', () => {
  test('with the policy it ran with decides every stored state again, and raises what was raised', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(59), async (history, from) => {
        round += 1;
        const id = `round-${round}`;
        await register(id);
        const quick = { ...DEFAULT_POLICY.health, flapping: { probes: 8, startShare: 0.5, stopShare: 0.3 } };
        policy = { ...DEFAULT_POLICY, health: quick, latency: { ...DEFAULT_POLICY.latency, minSamples: 3 } };
        let atMs = Date.now() - 60 * 40_000_000;
        const moments: number[] = [];
        for (const { outcome, afterMs, manual, offline, calls, before } of history) {
          if (before) await disturb(id, before);
          if (calls > 0) failing.set(id, { calls: 30, errors: calls });
          else failing.delete(id);
          atMs += afterMs;
          moments.push(atMs);
          await save(id, outcome, { atMs, manual, offline });
        }
        const whole = await replayOf(id, 0, policy);
        expect(whole).toMatchObject({
          probes: history.length,
          skipped: 0,
          different: 0,
          firstDifference: null,
        });
        for (const compared of whole?.alerts ?? []) {
          expect(compared).toMatchObject({ match: 'both', laterMs: 0 });
          expect(compared.replayed?.resolvedMs).toBe(compared.real?.resolvedMs);
        }
        const sinceMs = moments[from % moments.length] ?? 0;
        expect(await replayOf(id, sinceMs, policy)).toMatchObject({ skipped: 0, different: 0 });
        for (const compared of (await replayOf(id, sinceMs, policy))?.alerts ?? [])
          expect(compared.match).toBe('both');
      }),
      { numRuns: 8 },
    );
  }, 240_000);

  test('with another policy tells what is new, what is missed, and what comes later', async () => {
    await register('a');
    const down = [failedWith(REFUSED), failedWith(REFUSED)];
    const long = Array.from({ length: 4 }, () => failedWith(REFUSED));
    const well = [outcomeOf(), outcomeOf(), outcomeOf()];
    let atMs = Date.now() - 7_200_000;
    for (const outcome of [...well, ...down, ...well, ...long, ...well]) {
      atMs += 10_000;
      await save('a', outcome, { atMs });
    }
    const withFailures = (failuresToDown: number): Policy => ({
      ...DEFAULT_POLICY,
      health: { ...DEFAULT_POLICY.health, failuresToDown },
    });
    const told = async (tried: Policy) =>
      (await replayOf('a', 0, tried))?.alerts.map((compared) =>
        compared.match === 'both' ? compared.laterMs : compared.match,
      );
    expect(await told(DEFAULT_POLICY)).toEqual([0, 0]);
    expect(await told(withFailures(3))).toEqual(['missed', 10_000]);
    expect(await told(withFailures(1))).toEqual([-10_000, -10_000]);
    expect(await told(withFailures(9))).toEqual(['missed', 'missed']);
    expect(await replayOf('a', 0, withFailures(9))).toMatchObject({ probes: 15, different: 6 });
    expect(await replayOf('nobody', 0, null)).toBeNull();
  });

  test('starts from the state that a row carries when what was before is gone', async () => {
    await register('a');
    let atMs = Date.UTC(2026, 0, 1, 23, 59, 0);
    for (const outcome of [
      outcomeOf(),
      failedWith(REFUSED),
      failedWith(REFUSED),
      failedWith(REFUSED),
      failedWith(REFUSED),
    ]) {
      atMs += 20_000;
      await save('a', outcome, { atMs });
    }
    await connection.db.execute(
      sql`DELETE FROM mcp_server_health_check WHERE checked_at < '2026-01-02T00:00:00Z'`,
    );
    expect(await replayOf('a', 0, null)).toMatchObject({
      probes: 3,
      skipped: 0,
      different: 0,
      alerts: [{ match: 'both', laterMs: 0 }],
    });
    await connection.db.execute(
      sql`DELETE FROM mcp_server_health_check WHERE checked_at < '2026-01-02T00:00:10Z'`,
    );
    expect(await replayOf('a', 0, null)).toMatchObject({ probes: 0, skipped: 2, different: 0 });
  });
});
