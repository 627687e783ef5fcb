import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replayServer } from '../../../src/actions/replay.ts';
import { alert, mcpServer, mcpServerHealthCheck, serverState } from '../../../src/db/schema/index.ts';
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
import { type ScriptedFleet, startScriptedFleet } from '../../support/scripted-fleet.ts';

let folder: string;
let database: TestDatabase;
let daemon: TestDaemon;
let fleet: ScriptedFleet;

beforeAll(async () => {
  await clearQueue();
  folder = await mkdtemp(join(tmpdir(), 'mcp-vitals-outage-'));
  const policy = join(folder, 'policy.yaml');
  await writeFile(policy, 'health:\n  failuresToDown: 3\n  successesToUp: 3\n  confirmAfterMs: [300, 600]\n');
  database = await createTestDatabase();
  fleet = await startScriptedFleet();
  daemon = await startTestDaemon(testConfig(database.url, { files: { policy, alerts: null } }));
});
afterAll(async () => {
  await daemon.stop();
  await fleet.close();
  await database.close();
  await rm(folder, { recursive: true });
});

const serverOf = (id: string) => daemon.db.query.mcpServer.findFirst({ where: eq(mcpServer.id, id) });
const alerts = () => daemon.db.select().from(alert);

test('an outage is confirmed and ended by quick probes, by the policy’s numbers, as one alert; its replay says the same', async () => {
  // Nothing but confirmation asks again: the next slot is far away.
  await registerServer(daemon.db, { id: 'a', endpointUrl: fleet.url('/a') });
  await eventually('active', async () => ((await serverOf('a'))?.status === 'active' ? true : undefined));
  fleet.play('/a', { failWith: 500 });
  await daemon.db.update(serverState).set({ nextProbeAt: new Date() }).where(eq(serverState.serverId, 'a'));
  await eventually('an alert', async () => (await alerts())[0]);
  expect(await serverOf('a')).toMatchObject({ status: 'error', healthStatus: 'unhealthy' });
  expect(await alerts()).toMatchObject([
    { key: 'server_down:a', data: { failures: 3, reason: 'server_error' } },
  ]);

  fleet.play('/a', { failWith: null });
  await daemon.db.update(serverState).set({ nextProbeAt: new Date() }).where(eq(serverState.serverId, 'a'));
  await eventually('the end of it', async () => (await alerts())[0]?.resolvedAt ?? undefined);
  expect(await serverOf('a')).toMatchObject({ status: 'active', healthStatus: 'healthy' });
  expect(await alerts()).toHaveLength(1);

  const replayed = await replayServer(
    {
      config: () => daemon.config,
      version: '0',
      stop: new AbortController().signal,
      lookUp: () => undefined,
      onHangup: () => () => undefined,
      onProgress: () => undefined,
    },
    { idOrName: 'a', sinceMs: 0, policy: null },
  );
  const history = await daemon.db.select().from(mcpServerHealthCheck);
  expect(replayed).toMatchObject({
    probes: history.length,
    skipped: 0,
    different: 0,
    alerts: [{ match: 'both', laterMs: 0, real: { kind: 'server_down' } }],
  });

  await daemon.refreshGauges();
  const text = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
  expect(text).toMatch(/^mcp_server_flapping\{server_id="a",.*\} 0$/m);
  expect(text).toMatch(/^mcp_server_error_budget_left_ratio\{server_id="a",.*\} 0\.\d+$/m);
});
