import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { and, eq, isNull } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  alert,
  maintenanceWindow,
  mcpServer,
  mcpServerDependency,
  serverState,
} from '../../../src/db/schema/index.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';
import { type ScriptedFleet, startScriptedFleet } from '../../support/scripted-fleet.ts';

let database: TestDatabase;
let fleet: ScriptedFleet;
let daemon: TestDaemon;
let folder: string;

beforeEach(async () => {
  await clearQueue();
  database = await createTestDatabase();
  fleet = await startScriptedFleet();
  folder = await mkdtemp(join(tmpdir(), 'vitals-around-'));
  const policy = join(folder, 'policy.yaml');
  await writeFile(policy, 'health:\n  confirmAfterMs: [300]\n  confirmRefusedAfterMs: [300]\n');
  daemon = await startTestDaemon(testConfig(database.url, { files: { policy, alerts: null } }));
});
afterEach(async () => {
  await daemon.stop();
  await fleet.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

async function register(...ids: string[]): Promise<void> {
  for (const id of ids) await registerServer(daemon.db, { id, endpointUrl: fleet.url(`/${id}`) });
  for (const id of ids) await shows(id, { verdict: 'up', status: 'active' });
}

async function stateOf(id: string) {
  const [row] = await daemon.db
    .select({
      verdict: serverState.verdict,
      reason: serverState.reason,
      becauseOf: serverState.becauseOf,
      status: mcpServer.status,
    })
    .from(serverState)
    .innerJoin(mcpServer, eq(mcpServer.id, serverState.serverId))
    .where(eq(serverState.serverId, id));
  return row;
}

type Shown = NonNullable<Awaited<ReturnType<typeof stateOf>>>;

const shows = (id: string, wanted: Partial<Shown>) =>
  eventually(`${id} shows ${JSON.stringify(wanted)}`, async () => {
    const state = await stateOf(id);
    const same = Object.entries(wanted).every(([key, value]) => state?.[key as keyof Shown] === value);
    return same ? state : undefined;
  });

const probeNow = (...ids: string[]) =>
  Promise.all(
    ids.map((id) =>
      daemon.db.update(serverState).set({ nextProbeAt: new Date() }).where(eq(serverState.serverId, id)),
    ),
  );

const firing = () => daemon.db.select().from(alert).where(isNull(alert.resolvedAt));

test('a window begins and ends by itself, and the server is in maintenance meanwhile', async () => {
  await register('a');
  const [row] = await daemon.db
    .insert(maintenanceWindow)
    .values({
      title: 'upgrade',
      type: 'upgrade',
      impact: 'partial',
      affectedServices: ['a'],
      scheduledStart: new Date(Date.now() + 500),
      scheduledEnd: new Date(Date.now() + 600_000),
      createdBy: 'somebody',
      createdAt: new Date(),
      updatedAt: new Date(),
    })
    .returning();
  const id = row?.id ?? '';
  await shows('a', { verdict: 'maintenance', status: 'maintenance' });
  fleet.play('/a', { failWith: 503 });
  await probeNow('a');
  await eventually('a failed twice', async () => {
    const [state] = await daemon.db.select().from(serverState).where(eq(serverState.serverId, 'a'));
    return (state?.failures ?? 0) >= 2 ? true : undefined;
  });
  expect(await stateOf('a')).toMatchObject({ verdict: 'maintenance', status: 'maintenance' });
  const end = new Date();
  await daemon.db.update(maintenanceWindow).set({ scheduledEnd: end }).where(eq(maintenanceWindow.id, id));
  await shows('a', { verdict: 'down', reason: 'server_error', status: 'error' });
  expect(
    (await daemon.db.select().from(maintenanceWindow).where(eq(maintenanceWindow.id, id)))[0],
  ).toMatchObject({
    status: 'completed',
    actualEnd: end,
  });
});

test('what depends on a server that dies is down because of it, and back with it', async () => {
  await register('x', 'y', 'z');
  const createdAt = new Date();
  await daemon.db.insert(mcpServerDependency).values([
    { serverId: 'y', dependsOnServerId: 'x', dependencyType: 'required', createdAt },
    { serverId: 'z', dependsOnServerId: 'x', dependencyType: 'optional', createdAt },
  ]);
  fleet.play('/x', { failWith: 503 });
  await probeNow('x');
  await shows('x', { verdict: 'down', status: 'error' });
  await shows('y', { verdict: 'down', reason: 'dependency_down', becauseOf: 'x', status: 'error' });
  await shows('z', { verdict: 'degraded', reason: 'dependency_degraded', becauseOf: 'x' });
  expect((await firing()).map(({ key }) => key)).toEqual(['server_down:x']);
  fleet.play('/x', { failWith: null });
  await probeNow('x');
  await shows('y', { verdict: 'up', reason: 'ok', becauseOf: null, status: 'active' });
  await shows('z', { verdict: 'up', becauseOf: null });
});

test('five servers on one host that fail together are one incident', async () => {
  const ids = ['s1', 's2', 's3', 's4', 's5'];
  await register(...ids, 'well');
  for (const id of ids) fleet.play(`/${id}`, { failWith: 503 });
  await probeNow(...ids);
  const incident = await eventually('an incident with its members', async () => {
    const [found] = await daemon.db
      .select()
      .from(alert)
      .where(and(eq(alert.kind, 'incident'), isNull(alert.resolvedAt)));
    return found?.data.count === 5 ? found : undefined;
  });
  expect(incident.key).toBe(`incident:host:${new URL(fleet.url('/')).host}`);
  await eventually('each member’s alert names it', async () => {
    const rows = (await firing()).filter(({ kind }) => kind === 'server_down');
    return rows.length === 5 && rows.every(({ incidentId }) => incidentId === incident.id) ? true : undefined;
  });
  for (const id of ids) fleet.play(`/${id}`, { failWith: null });
  await probeNow(...ids);
  await eventually('the incident is over', async () => ((await firing()).length === 0 ? true : undefined));
});
