import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adoptDatabase } from '../../../src/db/adopt.ts';
import { mcpServer, serverState } from '../../../src/db/schema/index.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  testConfig,
} from '../../support/daemon.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createGatewayDatabase } from '../../support/gateway-database.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';
import { registerServer } from '../../support/registry.ts';
import { startTinyMcp, type TinyMcp } from '../../support/tiny-mcp.ts';

let database: TestDatabase;
let daemon: TestDaemon;
let tiny: TinyMcp;

beforeAll(async () => {
  await clearQueue();
  database = await createGatewayDatabase();
  tiny = await startTinyMcp();
});
afterAll(async () => {
  await daemon.stop();
  await tiny.close();
  await database.close();
});

test('the daemon refuses a gateway’s database until it is adopted, then runs on it beside the gateway', async () => {
  const config = testConfig(database.url);
  await expect(startTestDaemon(config)).rejects.toThrow(/db adopt/);
  await adoptDatabase(database.url, migrationsDir);
  daemon = await startTestDaemon(config);
  await registerServer(daemon.db, { id: 'new', endpointUrl: `${tiny.url}/new` });
  const verdictOf = (id: string) =>
    eventually(`a verdict of ${id}`, async () => {
      const state = await daemon.db.query.serverState.findFirst({ where: eq(serverState.serverId, id) });
      return state?.verdict ?? undefined;
    });
  expect(await verdictOf('new')).toBe('up');
  expect(await verdictOf('one')).toBe('down');

  // The gateway's own: a relation of its schema, its extra column, view and tables.
  const [owner] = await daemon.db.query.user.findMany({ with: { tenant: true, sessions: true } });
  expect(owner).toMatchObject({ id: 'owner', tenant: null, sessions: [] });
  const [own] = await daemon.db.execute(sql`
    SELECT (SELECT count(*)::int FROM active_tools) AS tools, (SELECT region FROM mcp_server WHERE id = 'one') AS region,
      (SELECT name FROM "apiKey") AS key, (SELECT count(*)::int FROM drizzle.__drizzle_migrations) AS migrations`);
  expect(own).toEqual({ tools: 1, region: null, key: 'mine', migrations: 2 });
  await daemon.db.delete(mcpServer).where(eq(mcpServer.id, 'new'));
  expect(await daemon.db.query.serverState.findMany()).toHaveLength(1);
});
