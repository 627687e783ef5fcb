import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitVerdicts, type ProbeVerdict, readClock } from '../../../src/db/queries/results.ts';
import { mcpServerHealthCheck, mcpTool, serverState } from '../../../src/db/schema/index.ts';
import { openQueueBackend } from '../../../src/queue/backend.ts';
import { type ProbeJob, type ProbeResult, QUEUES } from '../../../src/queue/definitions.ts';
import { enqueueManualProbes } from '../../../src/queue/manual-probes.ts';
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

const stateOf = (id: string) =>
  daemon.db.query.serverState.findFirst({ where: eq(serverState.serverId, id) });
const verdictOf = (id: string) =>
  eventually(`a verdict of ${id}`, async () => (await stateOf(id))?.verdict ?? undefined);
const checksOf = (id: string) =>
  daemon.db.select().from(mcpServerHealthCheck).where(eq(mcpServerHealthCheck.serverId, id));

/** What `enqueue --wait` does. */
async function probeManually(ids: string[]): Promise<ProbeVerdict[]> {
  const backend = await openQueueBackend(
    { redisUrl: daemon.config.redisUrl, postgres: { connectionString: database.url } },
    (_, error) => expect.fail(error.message),
    () => undefined,
  );
  const queue = backend.queue<ProbeJob, ProbeResult>(QUEUES.probe);
  try {
    const since = await readClock(daemon.db);
    await enqueueManualProbes(queue, ids);
    const verdicts: ProbeVerdict[] = [];
    for await (const verdict of awaitVerdicts(daemon.db, ids, since, AbortSignal.timeout(30_000)))
      verdicts.push(verdict);
    return verdicts;
  } finally {
    await queue.close();
    await backend.close();
  }
}

describe('a daemon', () => {
  test('finds a registered server by itself, probes it and stores what it saw', async () => {
    await registerServer(daemon.db, { id: 'found', endpointUrl: `${tiny.url}/found` });
    expect(await verdictOf('found')).toBe('up');
    expect(await checksOf('found')).toMatchObject([
      { status: 'healthy', metrics: { custom: { era: 'handshake' } } },
    ]);
    expect(await daemon.db.select().from(mcpTool)).toMatchObject([{ serverId: 'found', name: 'echo' }]);
    expect(tiny.sessions.size).toBe(0);
  });

  test('gives every impossible row a verdict, and goes on', async () => {
    const rows = [
      { id: 'no-url', endpointUrl: 'not a url' },
      { id: 'no-command', endpointUrl: '', transportType: 'stdio' as const },
      { id: 'open-quote', endpointUrl: '"never closed', transportType: 'stdio' as const },
      { id: 'file', endpointUrl: 'file:///etc/passwd' },
      {
        id: 'bad-auth',
        endpointUrl: tiny.url,
        authType: 'bearer' as const,
        authConfig: 'not an object' as never,
      },
      { id: 'nul', endpointUrl: 'http://127.0.0.1:99999/' },
    ];
    for (const row of rows) await registerServer(daemon.db, row);
    await daemon.db.execute(sql`
      INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, created_at, updated_at)
      VALUES ('odd-transport', 'odd', '', 'http://127.0.0.1/', 'carrier-pigeon', 'o', now(), now())`);
    const reasons: Record<string, string | null | undefined> = {};
    for (const id of [...rows.map((row) => row.id), 'odd-transport']) {
      await verdictOf(id);
      reasons[id] = (await stateOf(id))?.reason;
    }
    expect(reasons).toEqual({
      'no-url': 'bad_endpoint',
      'no-command': 'bad_endpoint',
      'open-quote': 'bad_endpoint',
      file: 'bad_endpoint',
      'bad-auth': 'bad_auth_config',
      nul: 'bad_endpoint',
      'odd-transport': 'bad_transport',
    });
  });

  test('serves a manual probe, also of a server that no sweep has met', async () => {
    await registerServer(daemon.db, { id: 'manual', endpointUrl: `${tiny.url}/manual` });
    expect(await probeManually(['manual'])).toMatchObject([
      { serverId: 'manual', verdict: 'up', reason: 'ok' },
    ]);
  });

  test('probes no server twice at once, and no host more than four at a time', async () => {
    const ids = Array.from({ length: 24 }, (_, index) => `crowd-${index}`);
    tiny.delayMs = 60;
    tiny.peak = { total: 0, path: 0 };
    for (const id of ids) await registerServer(daemon.db, { id, endpointUrl: `${tiny.url}/${id}` });
    const verdicts = (await Promise.all([probeManually(ids), probeManually(ids)])).flat();
    tiny.delayMs = 0;
    expect(verdicts).toHaveLength(2 * ids.length);
    expect(verdicts.every(({ verdict }) => verdict === 'up')).toBe(true);
    expect(tiny.peak.path).toBe(1);
    expect(tiny.peak.total).toBeGreaterThan(1);
    expect(tiny.peak.total).toBeLessThanOrEqual(4);
    await eventually('all sessions ended', () => (tiny.sessions.size === 0 ? true : undefined));
  });

  test('says ready, and what it counted', async () => {
    const ready = await eventually('ready', async () => {
      const response = await fetch(`${daemon.httpUrl}/readyz`);
      return response.ok ? await response.json() : undefined;
    });
    expect(ready).toMatchObject({ ok: true });
    await daemon.refreshGauges();
    const text = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
    expect(text).toMatch(/^mcp_server_up\{server_id="found",server="found",tenant="",transport="http"\} 1$/m);
    expect(text).toMatch(/^mcp_probe_sessions_open 0$/m);
    expect(text).toMatch(/^mcp_probes_total\{transport="http",verdict="up",reason="ok"\} \d+$/m);
    expect(text).not.toContain(tiny.url);
  });

  test('logs each status change once at info, each probe at debug', () => {
    const changes = daemon.log.filter((line) => line.msg === 'status changed' && line.serverId === 'found');
    expect(changes).toMatchObject([{ level: 30, before: 'inactive', after: 'active', verdict: 'up' }]);
    expect(daemon.log.some((line) => line.msg === 'probed' && line.level === 20)).toBe(true);
    expect(daemon.log.filter((line) => Number(line.level) >= 50)).toEqual([]);
  });
});
