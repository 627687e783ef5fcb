import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TinyMcp {
  url: string;
  /** Handshakes answered, by path. */
  handshakes: Map<string, number>;
  /** Sessions opened and not yet ended by DELETE. */
  sessions: Set<string>;
  /** The most handshakes that were in flight at one time, over all paths and for one path. */
  peak: { total: number; path: number };
  /** How long a handshake takes, in milliseconds. */
  delayMs: number;
  /** The status that every request gets instead of an answer; 0 for none. */
  failWith: number;
  close(): Promise<void>;
}

/** A streamable HTTP server with one tool at every path: enough to count what a prober does to it. */
export async function startTinyMcp(): Promise<TinyMcp> {
  const inFlight = new Map<string, number>();
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => response.destroy(error));
  });
  const tiny: TinyMcp = {
    url: '',
    handshakes: new Map(),
    sessions: new Set(),
    peak: { total: 0, path: 0 },
    delayMs: 0,
    failWith: 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function enter(path: string): void {
    inFlight.set(path, (inFlight.get(path) ?? 0) + 1);
    const total = [...inFlight.values()].reduce((sum, count) => sum + count, 0);
    tiny.peak = {
      total: Math.max(tiny.peak.total, total),
      path: Math.max(tiny.peak.path, inFlight.get(path) ?? 0),
    };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const session = String(request.headers['mcp-session-id'] ?? '');
    let text = '';
    for await (const chunk of request) text += String(chunk);
    if (tiny.failWith > 0) return void response.writeHead(tiny.failWith).end();
    if (request.method === 'DELETE') {
      tiny.sessions.delete(session);
      return void response.writeHead(200).end();
    }
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const message = JSON.parse(text) as {
      id?: number;
      method: string;
      params?: { protocolVersion?: string };
    };
    if (message.id === undefined) return void response.writeHead(202).end();
    const reply = (result: object, headers: Record<string, string> = {}) =>
      response
        .writeHead(200, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
    switch (message.method) {
      case 'initialize': {
        enter(path);
        if (tiny.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, tiny.delayMs));
        inFlight.set(path, (inFlight.get(path) ?? 1) - 1);
        tiny.handshakes.set(path, (tiny.handshakes.get(path) ?? 0) + 1);
        const id = randomUUID();
        tiny.sessions.add(id);
        const protocolVersion = message.params?.protocolVersion ?? '2025-06-18';
        reply(
          { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'tiny', version: '1.0.0' } },
          { 'mcp-session-id': id },
        );
        return;
      }
      case 'ping':
        reply({});
        return;
      case 'tools/list':
        reply({ tools: [{ name: 'echo', description: 'says it again', inputSchema: { type: 'object' } }] });
        return;
      default:
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(
            JSON.stringify({ jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'not here' } }),
          );
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  tiny.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return tiny;
}
