import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
  daemon = await startTestDaemon(testConfig(database.url));
});
afterAll(async () => {
  await daemon.stop();
  await tiny.close();
  await database.close();
});

test('a queue that loses all its data gets its sweep back, and the fleet its probes', async () => {
  await registerServer(daemon.db, { id: 'before', endpointUrl: `${tiny.url}/before` });
  await eventually('a probe before', () => tiny.handshakes.get('/before'));
  if (daemon.config.redisUrl) await clearQueue();
  else await daemon.db.execute(sql`TRUNCATE bullmq.job, bullmq.scheduler CASCADE`);
  await registerServer(daemon.db, { id: 'after', endpointUrl: `${tiny.url}/after` });
  await eventually('a probe after', () => tiny.handshakes.get('/after'), 45_000);
  expect(daemon.log.some((line) => String(line.msg).includes('no sweep has run lately'))).toBe(true);
});
