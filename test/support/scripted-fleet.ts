import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How one server of the fleet behaves from now on. */
export interface Script {
  /** Answer everything with this status; null to answer as MCP. */
  failWith: number | null;
  /** How long each handshake takes, in milliseconds. */
  delayMs: number;
  serverInfo: { name: string; version: string };
  tools: Record<string, unknown>[];
  /** The result of every tools/call. */
  callResult: Record<string, unknown>;
}

export interface ScriptedFleet {
  url(path: string): string;
  /** Changes how the server at a path behaves; what is not named stays. */
  play(path: string, script: Partial<Script>): void;
  /** Handshakes that were begun at the path. */
  handshakes(path: string): number;
  /** The arguments of each tools/call that came, by path. */
  calls(path: string): unknown[];
  /** Sessions opened and not yet ended. */
  sessions: Set<string>;
  close(): Promise<void>;
}

const WELL: Script = {
  failWith: null,
  delayMs: 0,
  serverInfo: { name: 'scripted', version: '1.0.0' },
  tools: [{ name: 'echo', description: 'Says it again.', inputSchema: { type: 'object' } }],
  callResult: { content: [{ type: 'text', text: 'well' }] },
};

/** Many MCP servers on one port, one at each path, whose behaviour a test changes as it goes. */
export async function startScriptedFleet(): Promise<ScriptedFleet> {
  const scripts = new Map<string, Script>();
  const begun = new Map<string, number>();
  const called = new Map<string, unknown[]>();
  const sessions = new Set<string>();
  const scriptOf = (path: string): Script => scripts.get(path) ?? WELL;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const script = scriptOf(path);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const message = text === '' ? null : (JSON.parse(text) as Message);
    if (message?.method === 'initialize') begun.set(path, (begun.get(path) ?? 0) + 1);
    if (script.failWith !== null) return void response.writeHead(script.failWith).end();
    if (request.method === 'DELETE') {
      sessions.delete(String(request.headers['mcp-session-id']));
      return void response.writeHead(200).end();
    }
    if (!message) return void response.writeHead(405).end();
    if (message.id === undefined) return void response.writeHead(202).end();
    if (message.method === 'initialize' && script.delayMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, script.delayMs));
    }
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (message.method === 'initialize') {
      headers['mcp-session-id'] = randomUUID();
      sessions.add(headers['mcp-session-id']);
    }
    if (message.method === 'tools/call') called.set(path, [...(called.get(path) ?? []), message.params]);
    const result = resultOf(script, message);
    const body = result ? { result } : { error: { code: -32601, message: 'not here' } };
    response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...body }));
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    play: (path, script) => scripts.set(path, { ...scriptOf(path), ...script }),
    handshakes: (path) => begun.get(path) ?? 0,
    calls: (path) => called.get(path) ?? [],
    sessions,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Message {
  id?: number;
  method: string;
  params?: { protocolVersion?: string };
}

function resultOf(script: Script, { method, params }: Message): object | null {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params?.protocolVersion ?? '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: script.serverInfo,
      };
    case 'ping':
      return {};
    case 'tools/list':
      return { tools: script.tools };
    case 'tools/call':
      return script.callResult;
    default:
      return null;
  }
}
