// MCP servers, each on a port of its own: good ones that take as long to answer as one far away does, or hostile ones.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export interface TargetsRequest {
  kind: 'good' | 'hostile';
  count: number;
  latencyMs: number;
  /** How many tools a good one lists. */
  tools: number;
}

/** The ports of the servers. */
export type TargetsAnswer = number[];

interface Rpc {
  id?: number;
  method: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS_TYPE = { 'content-type': 'text/event-stream' };
const MEBIBYTE = 1024 * 1024;
const bomb = gzipSync(Buffer.alloc(64 * MEBIBYTE));
const tool = (name: string) => ({ name, description: 'Does one thing', inputSchema: { type: 'object' } });
const resultOf = (method: string, tools: number): object => {
  if (method === 'initialize')
    return {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'bench', version: '1' },
    };
  return method === 'tools/list'
    ? { tools: Array.from({ length: tools }, (_, index) => tool(`tool-${index}`)) }
    : {};
};

function answer(response: ServerResponse, { id, method }: Rpc, tools = 10): void {
  if (id === undefined) response.writeHead(202).end();
  else
    response
      .writeHead(200, JSON_TYPE)
      .end(JSON.stringify({ jsonrpc: '2.0', id, result: resultOf(method, tools) }));
}

function pour(response: ServerResponse, text: string): void {
  const more = () => {
    while (!response.destroyed) if (!response.write(text)) return;
  };
  response.on('drain', more);
  more();
}

type Act = (response: ServerResponse, message: Rpc) => void;
/** Does it at the listing, and is good before. */
const listing =
  (act: Act): Act =>
  (response, message) =>
    message.method === 'tools/list' ? act(response, message) : answer(response, message);

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const HOSTILE: Act[] = [
  () => undefined,
  (response) => {
    response.writeHead(200, JSON_TYPE);
    const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.write(' ')), 5);
  },
  (response) => pour(response.writeHead(200, JSON_TYPE), '['.repeat(65_536)),
  listing((response) => pour(response.writeHead(200, EVENTS_TYPE), 'x'.repeat(65_536))),
  listing((response) =>
    pour(
      response.writeHead(200, EVENTS_TYPE),
      'data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'.repeat(1_000),
    ),
  ),
  listing((response) => response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(bomb)),
  listing((response, message) => answer(response, message, 10_000)),
  listing((response, { id }) =>
    response
      .writeHead(200, JSON_TYPE)
      .end(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[{"name":"a","x":${nested(100_000)}}]}}`),
  ),
  (response) => pour(response.writeHead(500, { 'content-type': 'text/plain' }), 'no '.repeat(20_000)),
  (response) => void response.socket?.write(`HTTP/1.1 200 OK\r\n${'x-filler: y\r\n'.repeat(5_000)}`),
  (response) => void response.socket?.resetAndDestroy(),
  (response) => response.writeHead(307, { location: '/mcp' }).end(),
];

function listen(act: Act): Promise<number> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    response.on('error', () => response.destroy());
    request.on('end', () =>
      body === '' ? response.writeHead(405).end() : act(response, JSON.parse(body) as Rpc),
    );
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

process.once('disconnect', () => process.exit());
process.on('message', async ({ kind, count, latencyMs, tools }: TargetsRequest) => {
  const late: Act = (response, message) => void setTimeout(() => answer(response, message, tools), latencyMs);
  const acts = kind === 'good' ? [late] : HOSTILE;
  const numbers = Array.from({ length: count }, (_, index) => index);
  const ports = await Promise.all(numbers.map((index) => listen(acts[index % acts.length] ?? late)));
  process.send?.(ports satisfies TargetsAnswer);
});
