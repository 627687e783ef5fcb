import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const entry = (path: string) => resolve(root, path);

/** Commands of real stdio servers, as words. */
export const STDIO_SERVERS = {
  everything: [
    process.execPath,
    entry('node_modules/@modelcontextprotocol/server-everything/dist/index.js'),
    'stdio',
  ],
  memory: [process.execPath, entry('node_modules/@modelcontextprotocol/server-memory/dist/index.js')],
  stateless: [process.execPath, entry('test/fixtures/mcp-servers/stateless-stdio.mjs')],
} as const;

/** A server under test, and how to end it. */
export interface RunningServer {
  url: string;
  /** All that it wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

/** A port that nothing listens on just now. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts a server as a process of its own group, and waits for the line that says it is ready. */
async function startProcess(
  words: readonly string[],
  env: Record<string, string>,
  ready: RegExp,
  url: string,
): Promise<RunningServer> {
  const [command = '', ...args] = words;
  const child = spawn(command, args, { env: { ...process.env, ...env }, detached: true, stdio: 'pipe' });
  let output = '';
  await new Promise<void>((started, failed) => {
    const onText = (text: Buffer) => {
      output += text.toString();
      if (ready.test(output)) started();
    };
    child.stdout.on('data', onText);
    child.stderr.on('data', onText);
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${output}`)));
  });
  return { url, output: () => output, stop: () => stopGroup(child) };
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}

/** server-everything over streamable HTTP or SSE. */
export async function startEverything(transport: 'streamableHttp' | 'sse'): Promise<RunningServer> {
  const port = await freePort();
  const path = transport === 'sse' ? 'sse' : 'mcp';
  const words = [...STDIO_SERVERS.everything.slice(0, 2), transport];
  return startProcess(
    words,
    { PORT: String(port) },
    /listening on port|running on port/i,
    `http://127.0.0.1:${port}/${path}`,
  );
}

/** server-memory behind supergateway, as a WebSocket server. */
export async function startGateway(): Promise<RunningServer> {
  const port = await freePort();
  const gateway = entry('node_modules/supergateway/dist/index.js');
  const inner = STDIO_SERVERS.memory.join(' ');
  const words = [
    process.execPath,
    gateway,
    '--stdio',
    inner,
    '--outputTransport',
    'ws',
    '--port',
    String(port),
    '--messagePath',
    '/message',
  ];
  return startProcess(words, {}, /WebSocket endpoint|Listening on port/i, `ws://127.0.0.1:${port}/message`);
}

/** What the stateless servers of the tests offer. */
export function createStatelessServer(): McpServer {
  const server = new McpServer(
    { name: 'stateless-fixture', version: '3.1.0' },
    { instructions: 'Ask away.' },
  );
  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    async ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
  );
  server.registerTool('now', { description: 'Tells the time' }, async () => ({ content: [] }));
  server.registerResource('readme', 'memo://readme', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, text: 'Read me' }],
  }));
  server.registerPrompt('greet', { description: 'Greets' }, () => ({ messages: [] }));
  return server;
}

/** A server of the stateless era alone, over streamable HTTP, in this process. */
export async function startStateless(): Promise<RunningServer & { requests: string[] }> {
  const handler = createMcpHandler(createStatelessServer, { legacy: 'reject' });
  const requests: string[] = [];
  const served = await startHttp(async (request, response) => {
    const body = await readBody(request);
    requests.push(`${request.method} ${/"method":"([^"]+)"/.exec(body)?.[1] ?? ''}`);
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    const init = { method: request.method ?? 'GET', headers, ...(body === '' ? {} : { body }) };
    const reply = await handler.fetch(new Request(`http://${request.headers.host}${request.url}`, init));
    response.writeHead(reply.status, Object.fromEntries(reply.headers));
    response.end(Buffer.from(await reply.arrayBuffer()));
  });
  return {
    url: `${served.url}/mcp`,
    requests,
    output: () => '',
    async stop() {
      await handler.close();
      await served.stop();
    },
  };
}

/** An HTTP server on a free loopback port; `url` has no path. */
export async function startHttp(
  listener: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<RunningServer & { server: Server; port: number }> {
  const handle: RequestListener = (request, response) => {
    Promise.resolve(listener(request, response)).catch((error: Error) => response.destroy(error));
  };
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    output: () => '',
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** The whole body of a request, as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
