import { desc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mcpServerHealthCheck, serverState } from '../../../src/db/schema/index.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  type TestDatabase,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase } from '../../support/database.ts';
import { GOOD_TOOL, type ScriptedServer, startScripted } from '../../support/mcp-scripted.ts';
import { registerServer } from '../../support/registry.ts';
import { recordCalls } from '../../support/usage.ts';

let database: TestDatabase;
let daemon: TestDaemon;
let target: ScriptedServer;

/** Its listing is green, and every call of its tool fails. */
const BROKEN_CALLS = {
  'tools/list': ({ result }: { result: (result: object) => void }) =>
    result({ tools: [{ ...GOOD_TOOL, annotations: { readOnlyHint: true } }] }),
  'tools/call': ({ error }: { error: (code: number, message: string) => void }) =>
    error(-32603, 'the database is gone'),
};

beforeAll(async () => {
  await clearQueue();
  database = await createTestDatabase();
  target = await startScripted(BROKEN_CALLS);
  daemon = await startTestDaemon(testConfig(database.url));
});
afterAll(async () => {
  await daemon.stop();
  await target.stop();
  await database.close();
});

/** The shortest interval that there is: slots come while a test waits. */
const OFTEN = { healthCheckInterval: 5 };

const register = (id: string, monitor: unknown, changes: { healthCheckInterval?: number } = {}) =>
  // A path of its own, so that no two share a row; the host is the same, and has room for four.
  registerServer(daemon.db, {
    id,
    endpointUrl: `${target.url}/${id}`,
    settings: { monitor } as never,
    ...changes,
  });
const stateOf = (id: string) =>
  daemon.db.query.serverState.findFirst({ where: eq(serverState.serverId, id) });
const probed = (id: string) =>
  eventually(`a verdict of ${id}`, async () =>
    (await stateOf(id))?.verdict ? await stateOf(id) : undefined,
  );
const checksOf = (id: string) =>
  daemon.db
    .select()
    .from(mcpServerHealthCheck)
    .where(eq(mcpServerHealthCheck.serverId, id))
    .orderBy(desc(mcpServerHealthCheck.checkedAt));
const moreChecks = (id: string, than: number) =>
  eventually(`a probe more of ${id}`, async () => {
    const checks = await checksOf(id);
    return checks.length > than ? checks : undefined;
  });

/** What the daemon tells Prometheus of skipped probes. */
async function skipped(reason: string): Promise<number> {
  const text = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
  return Number(new RegExp(`mcp_probes_skipped_total\\{reason="${reason}"\\} (\\d+)`).exec(text)?.[1]);
}
const skippedMore = async (reason: string, than: number) =>
  eventually(`a probe skipped for ${reason}`, async () =>
    (await skipped(reason)) > than ? true : undefined,
  );

describe('a canary', () => {
  test('nobody asked for calls nothing', async () => {
    await register('quiet', undefined);
    expect(await probed('quiet')).toMatchObject({ verdict: 'up', reason: 'ok' });
    expect(target.received).not.toContain('tools/call');
  });

  test('whose call fails shows it, while the listing is green', async () => {
    await register('canary', { canary: { tool: GOOD_TOOL.name } });
    expect(await probed('canary')).toMatchObject({
      verdict: 'degraded',
      reason: 'canary_failed',
      counts: { tools: 1 },
    });
    const [check] = await checksOf('canary');
    expect(check?.errorMessage).toContain('the database is gone');
    expect(check?.metrics).toMatchObject({
      custom: { phases: { canary: expect.any(Number) }, canary: { ok: false, tool: GOOD_TOOL.name } },
    });
  });

  test('that cannot be read is named, and not called', async () => {
    const calls = target.received.filter((method) => method === 'tools/call').length;
    await register('odd', {
      canary: { tool: GOOD_TOOL.name, expect: { jsonPath: [{ path: '$[', equals: 1 }] } },
    });
    expect(await probed('odd')).toMatchObject({ verdict: 'degraded', reason: 'bad_monitor_settings' });
    const [check] = await checksOf('odd');
    expect(check?.errorMessage).toContain('settings.monitor.canary.expect.jsonPath[0].path is no JSONPath');
    expect(target.received.filter((method) => method === 'tools/call')).toHaveLength(calls);
  });

  test('does not hide that a server is down', async () => {
    await registerServer(daemon.db, {
      id: 'down',
      settings: { monitor: { canary: 7, nonsense: 1 } } as never,
    });
    expect(await probed('down')).toMatchObject({ verdict: 'down', reason: 'refused' });
  });
});

describe('a budget', () => {
  test('of one probe a day is used up by the first', async () => {
    const before = await skipped('budget');
    await register('frugal', { budget: { probesPerDay: 1 } }, OFTEN);
    await probed('frugal');
    await skippedMore('budget', before);
    expect(await checksOf('frugal')).toHaveLength(1);
    expect(await stateOf('frugal')).toMatchObject({ verdict: 'up', probesToday: 1 });
    expect((await stateOf('frugal'))?.bytesToday).toBeGreaterThan(1_000);
  });

  test('doNotWake: a server is left asleep until somebody uses it', async () => {
    const before = await skipped('do_not_wake');
    await register('asleep', { budget: { doNotWake: true } }, OFTEN);
    await probed('asleep');
    await skippedMore('do_not_wake', before);
    expect(await checksOf('asleep')).toHaveLength(1);
    await recordCalls(daemon.db, 'asleep', { 200: 1 });
    expect(await moreChecks('asleep', 1)).toHaveLength(2);
  });

  test('trustTraffic: calls that go well stand in for probes, as long as there are any', async () => {
    const before = await skipped('traffic');
    // Before the first check, so that it already knows of them at the second slot.
    await recordCalls(daemon.db, 'busy', { 200: 50 }, -30_000);
    await register('busy', { budget: { trustTraffic: true } }, OFTEN);
    await probed('busy');
    await skippedMore('traffic', before);
    expect(await checksOf('busy')).toHaveLength(1);
  });
});

describe('real calls', () => {
  test('that fail have a green server probed at once and shown for what it is, until they go well again', async () => {
    await register('used', undefined);
    await probed('used');
    await recordCalls(daemon.db, 'used', { 200: 10, 500: 20 });
    const [latest] = await moreChecks('used', 1);
    expect(latest?.status).toBe('healthy');
    const state = await stateOf('used');
    expect(state).toMatchObject({ verdict: 'degraded', reason: 'calls_failing' });
    expect(state?.message).toBe('20 of 30 real calls failed in the last minutes');
    expect(state?.hurriedAt).not.toBeNull();

    await recordCalls(daemon.db, 'used', { 200: 100 });
    // As if a minute had passed since it was hurried.
    await daemon.db.update(serverState).set({ hurriedAt: null }).where(eq(serverState.serverId, 'used'));
    await eventually('the end of it', async () =>
      (await stateOf('used'))?.reason === 'ok' ? true : undefined,
    );
    expect(await stateOf('used')).toMatchObject({ verdict: 'up' });
  });
});
