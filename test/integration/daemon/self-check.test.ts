import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNull } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alert, serverState } from '../../../src/db/schema/index.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';
import { startScriptedFleet } from '../../support/scripted-fleet.ts';

let database: TestDatabase;
let daemon: TestDaemon;
let folder: string;
let anchor: Server;

const listen = (port: number) =>
  new Promise<Server>((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(port, '127.0.0.1', () => resolve(server));
  });

beforeEach(async () => {
  await clearQueue();
  database = await createTestDatabase();
  anchor = await listen(0);
  folder = await mkdtemp(join(tmpdir(), 'vitals-self-'));
});
afterEach(async () => {
  await daemon.stop();
  await new Promise((resolve) => anchor.close(resolve));
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

test('while the worker is cut off no server is blamed; when it is back they are judged', async () => {
  const { port } = anchor.address() as AddressInfo;
  const policy = join(folder, 'policy.yaml');
  // The first to fail is not confirmed before a busy machine has seen the third.
  await writeFile(
    policy,
    `health: { confirmAfterMs: [4000], confirmRefusedAfterMs: [4000] }\nselfCheck: { anchors: ['127.0.0.1:${port}'], massFailures: 3 }\n`,
  );
  const fleet = await startScriptedFleet();
  daemon = await startTestDaemon(testConfig(database.url, { files: { policy, alerts: null } }));
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) await registerServer(daemon.db, { id, endpointUrl: fleet.url(`/${id}`) });
  const states = () => daemon.db.select().from(serverState);
  const reasons = async () => (await states()).map(({ reason }) => reason);
  const firing = async () =>
    (await daemon.db.select().from(alert).where(isNull(alert.resolvedAt))).map(({ kind }) => kind);
  const all = async (reason: string) => {
    const wanted = ids.map(() => reason);
    const are = async () => ((await reasons()).join() === wanted.join() ? true : undefined);
    // One that stays as it was says more than that something did not happen.
    await eventually(`all ${reason}`, are).catch(async () => expect(await states()).toEqual(wanted));
  };
  await all('ok');

  await new Promise((resolve) => anchor.close(resolve));
  await fleet.close();
  await daemon.db.update(serverState).set({ nextProbeAt: new Date() });
  await all('monitor_offline');
  expect((await states()).map(({ verdict }) => verdict)).toEqual(ids.map(() => 'unknown'));
  expect(await firing()).toEqual(['monitor_offline']);

  anchor = await listen(port);
  await eventually('the worker is back', async () =>
    (await firing()).includes('monitor_offline') ? undefined : true,
  );
  await daemon.db.update(serverState).set({ nextProbeAt: new Date() });
  await all('refused');
});
