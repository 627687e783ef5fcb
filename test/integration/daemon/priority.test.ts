import { afterAll, beforeAll, expect, test } from 'vitest';
import { openQueueBackend } from '../../../src/queue/backend.ts';
import { type ProbeJob, type ProbeResult, QUEUES } from '../../../src/queue/definitions.ts';
import { enqueueManualProbes } from '../../../src/queue/manual-probes.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';
import { startTinyMcp, type TinyMcp } from '../../support/tiny-mcp.ts';

let database: TestDatabase;
let daemon: TestDaemon;
let tiny: TinyMcp;

beforeAll(async () => {
  await clearQueue();
  database = await createTestDatabase();
  tiny = await startTinyMcp();
  // One probe at a time, and a host that takes any number: what waits, waits for its turn alone.
  daemon = await startTestDaemon(
    testConfig(database.url, { probe: { concurrency: 1, perHost: 100, timeoutMs: 5_000 } }),
  );
});
afterAll(async () => {
  await daemon.stop();
  await tiny.close();
  await database.close();
});

test('a manual probe goes before the first checks that wait', async () => {
  tiny.delayMs = 150;
  const ids = Array.from({ length: 12 }, (_, index) => `waits-${index}`);
  for (const id of ids) await registerServer(daemon.db, { id, endpointUrl: `${tiny.url}/${id}` });
  await eventually('the first of them', () => (tiny.handshakes.size > 0 ? true : undefined));
  await registerServer(daemon.db, { id: 'asked-for', endpointUrl: `${tiny.url}/asked-for` });
  const backend = await openQueueBackend(
    { redisUrl: daemon.config.redisUrl, postgres: { connectionString: database.url } },
    (_, error) => expect.fail(error.message),
    () => undefined,
  );
  const queue = backend.queue<ProbeJob, ProbeResult>(QUEUES.probe);
  await enqueueManualProbes(queue, ['asked-for']);
  await queue.close();
  await backend.close();
  await eventually('all of them', () => (tiny.handshakes.size === 13 ? true : undefined));
  const order = [...tiny.handshakes.keys()];
  expect(order.indexOf('/asked-for')).toBeLessThan(order.length - 4);
});
