import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Client as StatelessClient,
  StreamableHTTPClientTransport as StatelessTransport,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { parse } from 'shell-quote';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { type DemoFleet, type DemoServer, startDemoFleet } from '../../../src/demo/start-demo-fleet.ts';
import { areRunning, listDescendants } from './list-processes.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let fleet: DemoFleet;
const progress: string[] = [];

beforeAll(async () => {
  const started = await startDemoFleet({
    onProgress: ({ done, total }) => progress.push(`${done}/${total}`),
  });
  if ('missing' in started) throw new Error(`not installed: ${started.missing.join(', ')}`);
  fleet = started;
}, 30_000);
afterAll(() => fleet?.stop());

const find = (id: string): DemoServer => {
  const server = fleet.servers.find((candidate) => candidate.id === id);
  if (!server) throw new Error(`no server ${id}`);
  return server;
};
const portOf = ({ endpointUrl }: DemoServer) => Number(new URL(endpointUrl).port);

async function toolsOver(transport: Transport): Promise<string[]> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name);
}

function commandOf({ endpointUrl, authConfig }: DemoServer) {
  const [command = '', ...args] = parse(endpointUrl).map(String);
  return { command, args, env: authConfig?.custom?.env ?? {}, stderr: 'ignore' as const };
}

function reaches(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** One initialize over the WebSocket, as a probe would do it. */
async function greetOverWebSocket(url: string): Promise<unknown> {
  const socket = new WebSocket(url, 'mcp');
  await once(socket, 'open');
  const answer = once(socket, 'message');
  const params = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  };
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
  const [data] = await answer;
  socket.close();
  await once(socket, 'close');
  return JSON.parse(String(data));
}

test('every row has the id, tag and verdict that the daemon needs, and the steps are counted', () => {
  expect(fleet.expected).toEqual({
    'demo-everything-stdio': 'up',
    'demo-memory-stdio': 'up',
    'demo-everything-http': 'up',
    'demo-everything-sse': 'up',
    'demo-memory-websocket': 'up',
    'demo-clock-stateless': 'up',
    'demo-clock-guarded': 'up',
    'demo-clock-locked': 'unauthenticated',
    'demo-nobody-home': 'down',
  });
  expect(fleet.servers.map(({ id }) => id)).toEqual(Object.keys(fleet.expected));
  expect(fleet.servers.every(({ tags }) => tags.includes('demo'))).toBe(true);
  expect(progress[0]).toMatch(/^0\//);
  expect(progress.at(-1)).toBe(`${progress.length - 1}/${progress.length - 1}`);
});

test('the command lines of the stdio servers work as they stand', async () => {
  expect(await toolsOver(new StdioClientTransport(commandOf(find('demo-everything-stdio'))))).toContain(
    'echo',
  );
  const memory = find('demo-memory-stdio');
  expect(await toolsOver(new StdioClientTransport(commandOf(memory)))).toContain('read_graph');
  expect(existsSync(dirname(memory.authConfig?.custom?.env.MEMORY_FILE_PATH ?? ''))).toBe(true);
});

test('streamable HTTP and SSE answer', async () => {
  const http = new StreamableHTTPClientTransport(new URL(find('demo-everything-http').endpointUrl));
  expect(await toolsOver(http)).toContain('echo');
  const sse = new SSEClientTransport(new URL(find('demo-everything-sse').endpointUrl));
  expect(await toolsOver(sse)).toContain('echo');
});

test('the WebSocket answers again and again, and starts no process for it', async () => {
  const { endpointUrl } = find('demo-memory-websocket');
  const before = listDescendants(process.pid);
  for (let round = 0; round < 10; round += 1)
    expect(await greetOverWebSocket(endpointUrl)).toMatchObject({
      result: { serverInfo: { name: expect.any(String) } },
    });
  expect(listDescendants(process.pid)).toHaveLength(before.length);
});

test('the stateless one speaks 2026-07-28 and refuses a handshake', async () => {
  const url = new URL(find('demo-clock-stateless').endpointUrl);
  const client = new StatelessClient(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(new StatelessTransport(url));
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['get_time']);
  await client.close();
  await expect(toolsOver(new StreamableHTTPClientTransport(url))).rejects.toThrow();
});

test('with its token it answers; without, it is a 401 with a challenge', async () => {
  const guarded = find('demo-clock-guarded');
  const headers = { authorization: `Bearer ${guarded.authConfig?.bearerToken}` };
  const transport = new StreamableHTTPClientTransport(new URL(guarded.endpointUrl), {
    requestInit: { headers },
  });
  expect(await toolsOver(transport)).toEqual(['get_time']);
  for (const { endpointUrl } of [guarded, find('demo-clock-locked')]) {
    const response = await fetch(endpointUrl, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
  }
});

test('nobody is home', async () => {
  expect(await reaches('127.0.0.1', portOf(find('demo-nobody-home')))).toBe(false);
});

test('nothing of the fleet can be reached from outside', async () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  const ports = fleet.servers.filter(({ transportType }) => transportType !== 'stdio').map(portOf);
  expect(ports).toHaveLength(7);
  for (const { address } of outside)
    for (const port of ports) expect(await reaches(address, port)).toBe(false);
  // Where this machine has no address but loopback: no other loopback address answers either.
  if (process.platform === 'linux')
    for (const port of ports) expect(await reaches('127.0.0.2', port)).toBe(false);
});

/**
 * The sockets that listen on these ports, by inode: a port alone proves nothing once its owner is gone,
 * since another test may be given it the moment after.
 */
function listenersOf(ports: number[]): Set<string> {
  const lines = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/net/${name}`, 'utf8').split('\n').slice(1),
  );
  return new Set(
    lines.flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      return state === '0A' && ports.includes(port) && inode !== undefined ? [inode] : [];
    }),
  );
}

test('a killed daemon leaves no process and no listener of the fleet behind', async () => {
  const outDir = join(root, 'dist/test-demo-fleet');
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    build: {
      ssr: 'src/demo/start-demo-fleet.ts',
      outDir,
      rollupOptions: { output: { entryFileNames: 'fleet.mjs' } },
    },
  });
  const program = `
    const { startDemoFleet } = await import(${JSON.stringify(`file://${outDir}/fleet.mjs`)});
    const { servers } = await startDemoFleet({ folder: ${JSON.stringify(join(outDir, 'files'))} });
    console.log(JSON.stringify(servers.filter(({ transportType }) => transportType !== 'stdio')));
    setInterval(() => undefined, 1000);`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await once(daemon.stdout, 'data');
  const ports = (JSON.parse(String(output)) as DemoServer[]).map(portOf);
  const pids = listDescendants(daemon.pid ?? 0);
  expect(pids.length).toBeGreaterThanOrEqual(4);
  const listening = listenersOf(ports);
  expect(listening.size).toBeGreaterThanOrEqual(6);
  const gone = once(daemon, 'exit');
  daemon.kill('SIGKILL');
  await gone;
  await vi.waitFor(() => expect(areRunning(pids)).toEqual([]), { timeout: 20_000, interval: 50 });
  // The kernel takes a moment longer over the sockets of a process than over the process.
  await vi.waitFor(
    () => {
      const left = listenersOf(ports);
      expect([...listening].filter((inode) => left.has(inode))).toEqual([]);
    },
    { timeout: 10_000, interval: 50 },
  );
}, 40_000);

test('stop ends every process and listener, and may be called twice', async () => {
  const ports = fleet.servers.filter(({ transportType }) => transportType !== 'stdio').map(portOf);
  const pids = listDescendants(process.pid);
  const folder = dirname(find('demo-memory-stdio').authConfig?.custom?.env.MEMORY_FILE_PATH ?? '');
  await fleet.stop();
  await fleet.stop();
  for (const port of ports) expect(await reaches('127.0.0.1', port)).toBe(false);
  expect(existsSync(folder)).toBe(false);
  await vi.waitFor(() => expect(areRunning(pids).length).toBeLessThan(pids.length - 3));
});
