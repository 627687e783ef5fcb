import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { slotAfter } from '../../../src/core/schedule.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { startRun } from '../../../src/db/queries/run.ts';
import { createProbeStore } from '../../../src/db/queries/store.ts';
import { claimDue, scheduleServers } from '../../../src/db/queries/sweep.ts';
import { apiUsage, mcpServer, serverState } from '../../../src/db/schema/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { outcomeOf } from '../../support/outcomes.ts';
import { registerServer } from '../../support/registry.ts';
import { recordCalls } from '../../support/usage.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
const ID = 'one';
const INTERVAL_MS = 300_000;
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

/** The last regular slot: the one that is due now. */
const dueSlot = () => slotAfter(ID, INTERVAL_MS, Date.now()) - INTERVAL_MS;

/** A server at a regular slot of its own, probed at the slot before that. */
async function server(
  monitor: unknown,
  state: Partial<typeof serverState.$inferInsert> = {},
): Promise<number> {
  const { db } = connection;
  const slotMs = dueSlot();
  await registerServer(db, {
    id: ID,
    status: 'active',
    lastHealthCheck: new Date(),
    healthCheckInterval: INTERVAL_MS / 1000,
    settings: { monitor } as never,
  });
  await scheduleServers(db, [{ serverId: ID, hostKey: ID, nextProbeMs: slotMs }]);
  const lastProbeAt = new Date(slotMs - INTERVAL_MS);
  await db.update(serverState).set({ verdict: 'up', reason: 'ok', lastProbeAt, ...state });
  return slotMs;
}
const begin = (slotMs: number | null) =>
  startRun(connection.db, { serverId: ID, slotMs, token: 't', budgetMsOf: () => 60_000, perHost: 4 });
const stateOf = async () => {
  const state = await connection.db.query.serverState.findFirst({ where: eq(serverState.serverId, ID) });
  if (!state) throw new Error('there is no such server');
  return state;
};
const today = () => new Date().toISOString().slice(0, 10);
const claim = () =>
  claimDue(connection.db, { limit: 10, perHost: 4, leaseMs: 60_000, lateAfterMs: HOUR, lateQuota: () => 10 });

test('a slot that is left out is over: the lease is gone, the next slot is set, no sweep claims it meanwhile', async () => {
  await server({ budget: { doNotWake: true } });
  const slotMs = Math.round((await claim())?.servers[0]?.slotMs ?? 0);
  expect(await begin(slotMs)).toEqual({ state: 'spared', reason: 'do_not_wake' });
  const state = await stateOf();
  expect(state).toMatchObject({ leaseUntil: null, runToken: null, runningUntil: null, verdict: 'up' });
  expect(Number(state.nextProbeAt)).toBe(slotAfter(ID, INTERVAL_MS, Date.now()));
  expect((await claim())?.servers).toEqual([]);
  expect(await begin(slotMs)).toEqual({ state: 'stale' });
});

test('a call, or the gateway’s own word of one, is a sign that it is awake', async () => {
  const slotMs = await server({ budget: { doNotWake: true } });
  await recordCalls(connection.db, ID, { 404: 1 }, 9 * 60_000);
  expect(await begin(slotMs)).toMatchObject({ state: 'started' });

  await connection.db.delete(mcpServer);
  await connection.db.delete(apiUsage);
  const again = await server({ budget: { doNotWake: true } });
  await connection.db.update(mcpServer).set({ lastUsedAt: new Date(Date.now() - 60_000) });
  expect(await begin(again)).toMatchObject({ state: 'started' });
});

test('calls of long ago, of another server and of the future wake nobody', async () => {
  const slotMs = await server({ budget: { doNotWake: true } });
  await recordCalls(connection.db, ID, { 200: 5 }, 11 * 60_000);
  await recordCalls(connection.db, 'other', { 200: 5 });
  await recordCalls(connection.db, ID, { 200: 5 }, -HOUR);
  expect(await begin(slotMs)).toEqual({ state: 'spared', reason: 'do_not_wake' });
});

test('calls that go well stand in for a probe; one that fails does not', async () => {
  const slotMs = await server({ budget: { trustTraffic: true } });
  await recordCalls(connection.db, ID, { 200: 4, 202: 1, 403: 7 }, 0);
  expect(await begin(slotMs)).toEqual({ state: 'spared', reason: 'traffic' });
  await connection.db.update(serverState).set({ nextProbeAt: new Date(slotMs) });
  await recordCalls(connection.db, ID, { 500: 1 }, 0);
  expect(await begin(slotMs)).toMatchObject({ state: 'started' });
});

test('calls say nothing of a server that is not up by itself', async () => {
  const slotMs = await server(
    { budget: { trustTraffic: true } },
    { verdict: 'maintenance', own: { verdict: 'down', reason: 'refused', message: null } },
  );
  await recordCalls(connection.db, ID, { 200: 9 }, 0);
  expect(await begin(slotMs)).toMatchObject({ state: 'started' });
});

test('a used-up budget is for today', async () => {
  const settings = { budget: { probesPerDay: 100 } };
  const old = { lastProbeAt: new Date(Date.now() - 20 * HOUR), probesToday: 100 };
  const slotMs = await server(settings, { ...old, budgetDay: today() });
  expect(await begin(slotMs)).toEqual({ state: 'spared', reason: 'budget' });
  await connection.db.update(serverState).set({ nextProbeAt: new Date(slotMs), budgetDay: '2020-01-01' });
  expect(await begin(slotMs)).toMatchObject({ state: 'started' });
});

test('whatever the budget, a person’s probe is made', async () => {
  await server(
    { budget: { probesPerDay: 1, bytesPerDay: 1, doNotWake: true } },
    { budgetDay: today(), probesToday: 50, bytesToday: 5_000 },
  );
  expect(await begin(null)).toMatchObject({ state: 'started' });
});

test('every probe is counted with its bytes, whoever asked for it, and each day begins anew', async () => {
  const store = createProbeStore(connection.db);
  const slotMs = await server(null, { budgetDay: '2020-01-01', probesToday: 7, bytesToday: 700 });
  const save = async (slot: number | null) => {
    expect(await begin(slot)).toMatchObject({ state: 'started' });
    const outcome = outcomeOf({ bytes: { sent: 20, received: 22 } });
    await store.save({ serverId: ID, token: 't', hostKey: ID, slotMs: slot, checkedAt: new Date(), outcome });
  };
  await save(slotMs);
  expect(await stateOf()).toMatchObject({ budgetDay: today(), probesToday: 1, bytesToday: 42 });
  await save(null);
  expect(await stateOf()).toMatchObject({ budgetDay: today(), probesToday: 2, bytesToday: 84 });
});

test('nonsense in the column costs nothing but itself', async () => {
  const slotMs = await server({ budget: { doNotWake: 'perhaps', probesPerDay: {} }, canary: [] });
  const run = await begin(slotMs);
  expect(run).toMatchObject({ state: 'started', monitor: { settings: { canary: null } } });
  expect(run.state === 'started' && run.monitor.problems).toHaveLength(3);
});
