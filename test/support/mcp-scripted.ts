import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type RunningServer, readBody, startHttp } from './mcp-servers.ts';

export interface RpcRequest {
  id?: number;
  method: string;
  params?: Record<string, unknown>;
}

/** How a scripted server takes one request of a probe. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  message: RpcRequest;
  /** A JSON-RPC result, as JSON. */
  result(result: object, headers?: Record<string, string>): void;
  /** A JSON-RPC error, as JSON. */
  error(code: number, message: string, status?: number): void;
  /** A body as it is. */
  raw(status: number, headers: Record<string, string>, body?: string): void;
}

type Answer = (exchange: Exchange) => void | Promise<void>;

/** What a scripted server says to each method; the methods that it does not name are answered well. */
export interface Script {
  [method: string]: Answer;
}

export interface ScriptedServer extends RunningServer {
  port: number;
  server: Server;
  /** Methods and HTTP methods received, in order. */
  received: string[];
  /** Sessions that were opened and not ended. */
  sessions: Set<string>;
  /** The headers of the last request. */
  headers: IncomingMessage['headers'];
  /** Connections that are open on the server's side. */
  connections(): Promise<number>;
}

export const GREETING = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'scripted', version: '1.2.3' },
};
export const GOOD_TOOL = { name: 'good', description: 'Works', inputSchema: { type: 'object' } };

/** A streamable HTTP server that does what its script says, wrong as it may be. */
export async function startScripted(script: Script = {}): Promise<ScriptedServer> {
  const received: string[] = [];
  const sessions = new Set<string>();
  let lastSession = 0;
  const wellBehaved: Script = {
    initialize: ({ result }) => {
      lastSession += 1;
      const session = `session-${lastSession}`;
      sessions.add(session);
      result(GREETING, { 'mcp-session-id': session });
    },
    'notifications/initialized': ({ raw }) => raw(202, {}),
    ping: ({ result }) => result({}),
    'tools/list': ({ result }) => result({ tools: [GOOD_TOOL] }),
    DELETE: ({ raw }) => raw(200, {}),
  };
  const served = await startHttp(async (request, response) => {
    scripted.headers = request.headers;
    const body = await readBody(request);
    const isJson = request.headers['content-type']?.includes('json') ?? false;
    // A form is what an authorization server is sent: it goes by its path.
    const bare = { method: body === '' ? (request.method ?? '') : (request.url ?? '').slice(1) };
    const message: RpcRequest = body === '' || !isJson ? bare : JSON.parse(body);
    received.push(message.method);
    if (request.method === 'DELETE') sessions.delete(String(request.headers['mcp-session-id']));
    const raw = (status: number, headers: Record<string, string>, text = '') => {
      response.writeHead(status, headers).end(text);
    };
    const json = (payload: object, status = 200, headers = {}) =>
      raw(
        status,
        { 'content-type': 'application/json', ...headers },
        JSON.stringify({ jsonrpc: '2.0', id: message.id, ...payload }),
      );
    const answer = script[message.method] ?? wellBehaved[message.method];
    if (!answer) return json({ error: { code: -32601, message: 'Method not found' } });
    await answer({
      request,
      response,
      message,
      result: (result, headers = {}) => json({ result }, 200, headers),
      error: (code, text, status = 200) => json({ error: { code, message: text } }, status),
      raw,
    });
  });
  const scripted: ScriptedServer = {
    ...served,
    url: `${served.url}/mcp`,
    received,
    sessions,
    headers: {},
    connections: () =>
      new Promise((resolve, reject) => {
        served.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
  };
  return scripted;
}

/** Writes `text` again and again, as fast as it is taken, until the other side has gone. */
export function writeForEver(response: ServerResponse, text: string): void {
  const more = () => {
    while (!response.destroyed) if (!response.write(text)) return;
  };
  response.on('drain', more);
  more();
}

/** Writes one character of `text` every few milliseconds. */
export function drip(write: (text: string) => void, text: string, isOver: () => boolean): void {
  let at = 0;
  const timer = setInterval(() => {
    if (isOver()) return clearInterval(timer);
    write(text[at % text.length] ?? ' ');
    at += 1;
  }, 5);
}
