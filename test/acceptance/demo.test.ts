import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../src/db/client.ts';
import { openEmbedded } from '../../src/db/embedded/open-embedded.ts';
import { mcpServer, mcpTool, systemEvent } from '../../src/db/schema/index.ts';
import { clearQueue, eventually, testRedisUrl } from '../support/daemon.ts';
import { createTestDatabase } from '../support/database.ts';
import { descendantsOf, type Program, runProgram, startProgram, stillRunning } from '../support/program.ts';

/** What the issue of the demo fleet promises, verdict by verdict. */
const EXPECTED: Record<string, { verdict: string; reason: string; transport: string; era: string | null }> = {
  'demo-everything-stdio': { verdict: 'up', reason: 'ok', transport: 'stdio', era: 'handshake' },
  'demo-everything-http': { verdict: 'up', reason: 'ok', transport: 'http', era: 'handshake' },
  'demo-everything-sse': { verdict: 'up', reason: 'ok', transport: 'sse', era: 'handshake' },
  'demo-memory-stdio': { verdict: 'up', reason: 'ok', transport: 'stdio', era: 'handshake' },
  'demo-memory-websocket': { verdict: 'up', reason: 'ok', transport: 'websocket', era: 'handshake' },
  'demo-clock-stateless': { verdict: 'up', reason: 'ok', transport: 'http', era: 'stateless' },
  'demo-clock-guarded': { verdict: 'up', reason: 'ok', transport: 'http', era: 'handshake' },
  'demo-clock-locked': {
    verdict: 'unauthenticated',
    reason: 'unauthenticated',
    transport: 'http',
    era: null,
  },
  'demo-nobody-home': { verdict: 'down', reason: 'refused', transport: 'http', era: null },
};

/** On Redis and another PostgreSQL when this run has them, otherwise with nothing configured at all. */
const onServers = testRedisUrl() !== null;
const cwd = mkdtempSync(join(tmpdir(), 'mcp-vitals-demo-'));
const releases: (() => Promise<void>)[] = [];
let environment: Record<string, string> = {};
let program: Program;
let connection: DatabaseConnection;
let startedAt: number;
let readyAfterMs: number;
let metricsUrl: string;

beforeAll(async () => {
  if (onServers) {
    await clearQueue();
    const database = await createTestDatabase({ empty: true });
    releases.push(() => database.close());
    environment = {
      DATABASE_URL: database.url,
      REDIS_URL: testRedisUrl() ?? '',
      VITALS_EGRESS_ALLOW: '127.0.0.0/8,::1/128,localhost',
      VITALS_STDIO_ALLOW: `"${process.execPath}"`,
    };
  }
  startedAt = performance.now();
  program = startProgram(onServers ? ['daemon', '--demo'] : ['daemon'], cwd, environment);
  metricsUrl = (await program.waitFor(/^metrics +(\S+)$/m))[1] ?? '';
  readyAfterMs = performance.now() - startedAt;
  const url = environment.DATABASE_URL ?? (await joinEmbedded());
  connection = connectDatabase(url, { poolSize: 2 });
});

afterAll(async () => {
  await connection?.close();
  if (program && program.child.exitCode === null) {
    program.child.kill('SIGKILL');
    await program.ended;
  }
  for (const release of releases.reverse()) await release();
  rmSync(cwd, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

async function joinEmbedded(): Promise<string> {
  const embedded = await openEmbedded({ dataDir: join(cwd, '.mcp-vitals') });
  releases.push(() => embedded.close());
  return embedded.url;
}

describe('npm start, with nothing configured or on servers', () => {
  test('prints a verdict of every demo server, and where to look', () => {
    const out = program.stdout();
    expect(out).toMatch(/^VERDICT +NAME +TRANSPORT +REASON/m);
    expect(out).toContain('9 servers, 7 up, 1 unauthenticated, 1 down');
    expect(out).toMatch(/^dashboard +http:\/\/127\.0\.0\.1:\d+/m);
    console.log(`ready with all verdicts after ${Math.round(readyAfterMs)} ms`);
  });

  test('has every verdict in the database, with what was learnt', async () => {
    const states = await connection.db.query.serverState.findMany();
    const seen = Object.fromEntries(
      states.map(({ serverId, verdict, reason, era }) => [serverId, { verdict, reason, era }]),
    );
    expect(seen).toEqual(
      Object.fromEntries(
        Object.entries(EXPECTED).map(([id, { verdict, reason, era }]) => [id, { verdict, reason, era }]),
      ),
    );
    const rows = await connection.db.query.mcpServer.findMany({ with: { healthChecks: true, tools: true } });
    for (const row of rows) {
      const up = EXPECTED[row.id]?.verdict === 'up';
      expect(row.status, row.id).toBe(up ? 'active' : 'error');
      expect(row.healthStatus, row.id).toBe(up ? 'healthy' : 'unhealthy');
      expect(row.lastHealthCheck, row.id).toBeInstanceOf(Date);
      expect(row.healthChecks.length, row.id).toBeGreaterThan(0);
      expect(row.version === '', row.id).toBe(!up);
      expect(row.tools.length > 0, row.id).toBe(up);
    }
  });

  test('wrote one event for each change of status', async () => {
    const events = await connection.db
      .select()
      .from(systemEvent)
      .where(eq(systemEvent.type, 'server.status_changed'));
    expect(events.map((event) => event.resourceId).sort()).toEqual(Object.keys(EXPECTED).sort());
    for (const event of events) expect(event.data).toMatchObject({ before: 'inactive' });
  });

  test('knows the tools by name, and the templates from the resources', async () => {
    const tools = await connection.db
      .select()
      .from(mcpTool)
      .where(eq(mcpTool.serverId, 'demo-everything-http'));
    expect(tools.map((tool) => tool.name)).toContain('echo');
    const server = await connection.db.query.mcpServer.findFirst({
      where: eq(mcpServer.id, 'demo-everything-http'),
      with: { resources: true, prompts: true },
    });
    const templates =
      server?.resources.filter((resource) => resource.annotations?.custom?.template === true) ?? [];
    expect(templates.length).toBeGreaterThan(0);
    expect(templates.length).toBeLessThan(server?.resources.length ?? 0);
    expect(server?.prompts.length).toBeGreaterThan(0);
  });

  test('counts it for Prometheus, without an address or a secret, and leaves no session open', async () => {
    const text = await (await fetch(metricsUrl)).text();
    for (const [id, { verdict, transport }] of Object.entries(EXPECTED)) {
      const up = new RegExp(
        `^mcp_server_up\\{server_id="${id}",.*transport="${transport}"\\} ${verdict === 'up' ? 1 : 0}$`,
        'm',
      );
      expect(text).toMatch(up);
      expect(text).toMatch(
        new RegExp(`^mcp_server_verdict\\{server_id="${id}",.*verdict="${verdict}"\\} 1$`, 'm'),
      );
    }
    expect(text).toMatch(/^mcp_probe_sessions_open 0$/m);
    expect(text).toMatch(/^mcp_probe_duration_seconds_count\{transport="stdio",phase="spawn"\} [1-9]/m);
    expect(text).toMatch(
      /^mcp_server_inventory_items\{server_id="demo-everything-http",kind="tools"\} [1-9]/m,
    );
    expect(text).not.toMatch(/https?:\/\/|bearer/i);
    const server = await connection.db.query.mcpServer.findFirst({
      where: eq(mcpServer.id, 'demo-clock-guarded'),
    });
    const token = (server?.authConfig as { bearerToken?: string } | null)?.bearerToken ?? '';
    expect(token.length).toBeGreaterThan(10);
    for (const output of [text, program.stdout(), program.stderr()]) expect(output).not.toContain(token);
  });

  test('answers /livez, /readyz and unknown paths', async () => {
    const base = new URL(metricsUrl);
    expect((await fetch(new URL('/livez', base))).status).toBe(200);
    expect(await (await fetch(new URL('/readyz', base))).json()).toMatchObject({ ok: true });
    expect((await fetch(new URL('/nothing', base))).status).toBe(404);
  });

  test('takes commands beside it: list, show, enqueue --wait, add, remove', async () => {
    const run = (...args: string[]) => runProgram(args, cwd, environment);
    const listed = await run('servers', 'list', '--json');
    expect(JSON.parse(listed.stdout)).toHaveLength(9);
    const shown = await run('servers', 'show', 'demo-clock-stateless', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ era: 'stateless', verdict: 'up' });

    const queued = await run('enqueue', '--tag', 'demo', '--wait', '--json');
    expect(queued.code, queued.stderr).toBe(0);
    const { verdicts } = JSON.parse(queued.stdout) as { verdicts: { id: string; verdict: string }[] };
    expect(Object.fromEntries(verdicts.map(({ id, verdict }) => [id, verdict]))).toEqual(
      Object.fromEntries(Object.entries(EXPECTED).map(([id, { verdict }]) => [id, verdict])),
    );
    const missing = await run('enqueue', 'nobody-has-this-id');
    expect(missing.code).toBe(1);
    expect(missing.stderr + missing.stdout).toContain('nobody-has-this-id');
    const removed = await run('servers', 'remove', 'demo-nobody-home');
    expect(removed.code, removed.stderr).toBe(0);
    expect(JSON.parse((await run('servers', 'list', '--json')).stdout)).toHaveLength(8);
  });

  test('ends on SIGTERM with 0, and nothing of it is left', async () => {
    const processes = descendantsOf(program.pid);
    expect(processes.length).toBeGreaterThan(0);
    await connection.close();
    for (const release of releases.splice(onServers ? 1 : 0)) await release();
    program.child.kill('SIGTERM');
    const { code, signal } = await program.ended;
    expect({ code, signal }, program.stderr()).toEqual({ code: 0, signal: null });
    expect(program.stderr()).not.toContain('MaxListenersExceededWarning');
    await eventually('every process gone', () => (stillRunning(processes).length === 0 ? true : undefined));
  });
});
