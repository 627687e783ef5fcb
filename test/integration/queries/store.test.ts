import { randomBytes } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ProbeOutcome } from '../../../src/core/outcome.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { startRun } from '../../../src/db/queries/run.ts';
import { createProbeStore, type ProbeStore } from '../../../src/db/queries/store.ts';
import { scheduleServers } from '../../../src/db/queries/sweep.ts';
import {
  mcpPrompt,
  mcpResource,
  mcpServer,
  mcpServerHealthCheck,
  mcpTool,
  serverState,
  systemEvent,
} from '../../../src/db/schema/index.ts';
import { createTestDatabase } from '../../support/database.ts';
import { EMPTY_INVENTORY, failedWith, outcomeOf, REFUSED } from '../../support/outcomes.ts';
import { registerServer } from '../../support/registry.ts';

let connection: DatabaseConnection;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let store: ProbeStore;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
  store = createProbeStore(connection.db);
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  await connection.db.execute(sql`DELETE FROM mcp_server`);
  await connection.db.execute(sql`DELETE FROM system_event`);
});

async function register(id: string, changes: Parameters<typeof registerServer>[1] = { id }): Promise<void> {
  await registerServer(connection.db, { ...changes, id });
  await scheduleServers(connection.db, [{ serverId: id, hostKey: id, nextProbeMs: Date.now() - 10 }]);
}

async function save(serverId: string, outcome: ProbeOutcome) {
  const token = `token-${Math.random()}`;
  await startRun(connection.db, { serverId, slotMs: null, token, budgetMsOf: () => 60_000, perHost: 4 });
  return await store.save({
    serverId,
    token,
    hostKey: 'host:1',
    slotMs: null,
    checkedAt: new Date(),
    outcome,
  });
}

const serverRow = (id: string) => connection.db.query.mcpServer.findFirst({ where: eq(mcpServer.id, id) });
const stateRow = (id: string) =>
  connection.db.query.serverState.findFirst({ where: eq(serverState.serverId, id) });
const events = () =>
  connection.db
    .select()
    .from(systemEvent)
    .where(eq(systemEvent.type, 'server.status_changed'))
    .orderBy(systemEvent.occurredAt);

describe('a stored probe', () => {
  test('writes history, server, state and event together, and moves the slot on', async () => {
    await register('a');
    const stored = await save('a', outcomeOf());
    expect(stored).toMatchObject({ serverId: 'a', classification: { verdict: 'up', reason: 'ok' } });

    expect(await serverRow('a')).toMatchObject({
      status: 'active',
      healthStatus: 'healthy',
      version: '1.2.3',
      uptime: '100.00',
      avgResponseTime: '12.000',
      capabilities: { tools: {} },
    });
    expect(await connection.db.select().from(mcpServerHealthCheck)).toMatchObject([
      {
        serverId: 'a',
        status: 'healthy',
        responseTime: 12,
        errorMessage: null,
        metrics: {
          version: '1.2.3',
          custom: { reason: 'ok', era: 'handshake', protocolVersion: '2025-11-25' },
        },
      },
    ]);
    const state = await stateRow('a');
    expect(state).toMatchObject({
      verdict: 'up',
      runToken: null,
      leaseUntil: null,
      statusWritten: 'active',
      hostKey: 'host:1',
    });
    expect(state?.nextProbeAt.getTime()).toBeGreaterThan(Date.now());
    expect(await events()).toMatchObject([
      {
        type: 'server.status_changed',
        resourceType: 'mcp_server',
        resourceId: 'a',
        data: { before: 'inactive', after: 'active', reason: 'ok' },
      },
    ]);
  });

  test('says down at once in health_status and, once confirmed, in status: one event', async () => {
    await register('a');
    await save('a', outcomeOf());
    await save('a', failedWith(REFUSED));
    expect(await serverRow('a')).toMatchObject({
      status: 'active',
      healthStatus: 'unhealthy',
      uptime: '50.00',
    });
    const soon = (await stateRow('a'))?.nextProbeAt.getTime() ?? 0;
    expect(soon - Date.now()).toBeLessThanOrEqual(10_000);
    await save('a', failedWith(REFUSED));
    await save('a', failedWith(REFUSED));
    expect(await serverRow('a')).toMatchObject({ status: 'error', healthStatus: 'unhealthy' });
    expect((await events()).map((event) => event.data)).toMatchObject([
      { before: 'inactive', after: 'active' },
      { before: 'active', after: 'error', reason: 'refused' },
    ]);
    expect(await events()).toMatchObject([{ status: 'resolved' }, { status: 'active', resolvedAt: null }]);
    await save('a', outcomeOf());
    await save('a', outcomeOf());
    const [, outage, recovery] = await events();
    expect(outage).toMatchObject({ status: 'resolved', resolvedAt: recovery?.occurredAt });
    expect(recovery).toMatchObject({ status: 'resolved', data: { before: 'error', after: 'active' } });
  });

  test('keeps a registered version, and follows one that it learnt', async () => {
    await register('registered', { id: 'registered', version: '9.9.9' });
    await register('learnt');
    for (const id of ['registered', 'learnt']) {
      await save(id, outcomeOf());
      await save(id, outcomeOf({ serverInfo: { name: 'fixture', version: '2.0.0' } }));
    }
    expect((await serverRow('registered'))?.version).toBe('9.9.9');
    expect((await serverRow('learnt'))?.version).toBe('2.0.0');
  });

  test('leaves a status alone that a person set', async () => {
    await register('a');
    await save('a', outcomeOf());
    for (const status of ['maintenance', 'inactive'] as const) {
      await connection.db.update(mcpServer).set({ status }).where(eq(mcpServer.id, 'a'));
      await save('a', failedWith(REFUSED));
      await save('a', failedWith(REFUSED));
      await save('a', outcomeOf());
      expect((await serverRow('a'))?.status).toBe(status);
    }
    expect(await events()).toHaveLength(1);
  });

  test('honours Retry-After for the next slot', async () => {
    await register('a', { id: 'a', healthCheckInterval: 5 });
    await save(
      'a',
      failedWith({
        kind: 'http',
        phase: 'handshake',
        status: 429,
        retryAfterMs: 600_000,
        message: 'slow down',
      }),
    );
    expect((await stateRow('a'))?.nextProbeAt.getTime()).toBeGreaterThan(Date.now() + 590_000);
    expect(await serverRow('a')).toMatchObject({ healthStatus: 'healthy' });
  });

  test('whose run was taken over is history, and changes nothing else', async () => {
    await register('a');
    const late = {
      serverId: 'a',
      token: 'late',
      hostKey: 'old',
      slotMs: null,
      checkedAt: new Date(Date.now() - 60_000),
    };
    await save('a', outcomeOf());
    const before = { server: await serverRow('a'), state: await stateRow('a') };
    await store.save({ ...late, outcome: failedWith(REFUSED) });
    const after = { server: await serverRow('a'), state: await stateRow('a') };
    expect(after).toEqual(before);
    expect(await connection.db.select().from(mcpServerHealthCheck)).toHaveLength(2);
  });

  test('is kept when its inventory cannot be', async () => {
    await register('a');
    await connection.db.execute(sql`ALTER TABLE mcp_tool ADD CONSTRAINT no_tools CHECK (name <> 'refused')`);
    try {
      const tools = [{ name: 'refused' }];
      const stored = await save('a', outcomeOf({ inventory: { ...EMPTY_INVENTORY, tools } }));
      expect(stored?.inventoryProblem).toMatch(/^a query failed \(23514\): .*no_tools/);
      expect(stored?.inventoryProblem?.length).toBeLessThan(600);
      expect(await stateRow('a')).toMatchObject({ verdict: 'up', inventoryHash: null });
    } finally {
      await connection.db.execute(sql`ALTER TABLE mcp_tool DROP CONSTRAINT no_tools`);
    }
  });

  test('leaves out a name that no index takes', async () => {
    await register('a');
    const tools = [{ name: randomBytes(4000).toString('base64') }, { name: 'kept' }];
    const stored = await save('a', outcomeOf({ inventory: { ...EMPTY_INVENTORY, tools } }));
    expect(stored?.inventoryProblem).toBeNull();
    expect(await connection.db.select().from(mcpTool)).toMatchObject([{ name: 'kept' }]);
  });

  test('forgets a pinned era that did not answer', async () => {
    await register('a');
    await save('a', outcomeOf({ era: 'stateless' }));
    expect((await stateRow('a'))?.era).toBe('stateless');
    await save('a', failedWith(REFUSED));
    expect((await stateRow('a'))?.era).toBe('stateless');
    await save('a', failedWith({ kind: 'timeout', phase: 'handshake', afterMs: 5, message: 'silence' }));
    expect((await stateRow('a'))?.era).toBeNull();
  });

  test('of a server that has gone is dropped; the others of its batch are kept', async () => {
    await register('a');
    await register('gone');
    await connection.db.execute(sql`DELETE FROM mcp_server WHERE id = 'gone'`);
    const [gone, kept] = await Promise.all([save('gone', outcomeOf()), save('a', outcomeOf())]);
    expect(gone).toBeNull();
    expect(kept).toMatchObject({ serverId: 'a' });
  });

  test('survives what PostgreSQL cannot hold: NUL, lone surrogates, deep nesting, absurd sizes', async () => {
    await register('a');
    let deep: unknown = 'bottom';
    for (let level = 0; level < 20_000; level += 1) deep = { deep };
    const tools = [
      { name: 'bad\u0000name', description: 'half \ud800 pair', inputSchema: { type: 'object', deep } },
      { name: 'no schema' },
      { description: 'no name' },
    ];
    const resources = [{ uri: 'x:1', name: 'big', size: 1e300 }];
    await save(
      'a',
      outcomeOf({
        inventory: { ...EMPTY_INVENTORY, tools, resources },
        serverInfo: { name: 'x\u0000', version: '\u0000v' },
      }),
    );
    const rows = await connection.db.select().from(mcpTool).orderBy(mcpTool.name);
    expect(rows.map(({ name }) => name)).toEqual(['badname', 'no schema']);
    expect((await serverRow('a'))?.version).toBe('v');
  });
});

describe('the inventory', () => {
  const tool = (name: string, description = 'does it') => ({
    name,
    description,
    inputSchema: { type: 'object' },
  });
  const withTools = (tools: ReturnType<typeof tool>[]) =>
    outcomeOf({ inventory: { ...EMPTY_INVENTORY, tools } });
  const tools = () => connection.db.select().from(mcpTool).orderBy(mcpTool.name);

  test('follows the listing: in, changed, gone, back; an unchanged row is not written', async () => {
    await register('a');
    await save('a', withTools([tool('one'), tool('two')]));
    const before = await tools();
    expect(before.map(({ name, isActive }) => [name, isActive])).toEqual([
      ['one', true],
      ['two', true],
    ]);
    await save('a', withTools([tool('one', 'does more')]));
    const [one, two] = await tools();
    expect(one).toMatchObject({ id: before[0]?.id, description: 'does more', isActive: true });
    expect(two).toMatchObject({ id: before[1]?.id, isActive: false });
    await save('a', withTools([tool('one', 'does more'), tool('two')]));
    const after = await tools();
    expect(after[1]).toMatchObject({ id: before[1]?.id, isActive: true });
    expect(after[0]?.updatedAt).toEqual(one?.updatedAt);
  });

  test('tells templates from resources, and keeps the gateway’s prompt template', async () => {
    await register('a');
    const inventory = {
      ...EMPTY_INVENTORY,
      resources: [{ uri: 'file:///a', name: 'a', mimeType: 'text/plain', annotations: { priority: 1 } }],
      resourceTemplates: [{ uriTemplate: 'file:///{path}', name: 'files' }],
      prompts: [{ name: 'greet', arguments: [{ name: 'who', required: true }] }],
    };
    await save('a', outcomeOf({ inventory }));
    await connection.db.update(mcpPrompt).set({ template: 'Hello {{who}}' });
    await save(
      'a',
      outcomeOf({ inventory: { ...inventory, prompts: [{ name: 'greet', description: 'new' }] } }),
    );
    expect(await connection.db.select().from(mcpResource).orderBy(mcpResource.uri)).toMatchObject([
      { uri: 'file:///a', mimeType: 'text/plain', annotations: { priority: 1 } },
      { uri: 'file:///{path}', name: 'files', annotations: { custom: { template: true } } },
    ]);
    expect(await connection.db.select().from(mcpPrompt)).toMatchObject([
      { template: 'Hello {{who}}', description: 'new' },
    ]);
  });

  test('keeps a family whose listing failed, and follows the others', async () => {
    await register('a');
    await save('a', withTools([tool('kept')]));
    const prompts = [{ name: 'new' }];
    const warnings = [{ code: 'list_failed', kind: 'tools', message: 'it broke' } as const];
    await save('a', outcomeOf({ inventory: { ...EMPTY_INVENTORY, prompts }, warnings }));
    expect(await tools()).toMatchObject([{ name: 'kept', isActive: true }]);
    expect(await connection.db.select().from(mcpPrompt)).toMatchObject([{ name: 'new' }]);
  });

  test('of 10,000 tools takes a handful of statements', async () => {
    await register('a');
    let statements = 0;
    const counting = connectDatabase(database.url);
    counting.sql.options.debug = () => {
      statements += 1;
    };
    try {
      const many = Array.from({ length: 10_000 }, (_, index) => tool(`tool-${index}`));
      const run = { serverId: 'a', slotMs: null, token: 't', budgetMsOf: () => 60_000, perHost: 4 };
      await startRun(connection.db, run);
      const saved = await createProbeStore(counting.db).save({
        serverId: 'a',
        token: 't',
        hostKey: 'h',
        slotMs: null,
        checkedAt: new Date(),
        outcome: withTools(many),
      });
      expect(saved?.serverId).toBe('a');
    } finally {
      await counting.close();
    }
    expect(statements).toBeGreaterThan(0);
    expect(statements).toBeLessThan(25);
    const [count] = await connection.db.execute<{ n: number }>(sql`SELECT count(*)::int AS n FROM mcp_tool`);
    expect(count?.n).toBe(10_000);
  });
});
