import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { classify } from '../../../src/core/classify.ts';
import type { Reason } from '../../../src/core/reasons.ts';
import { createProber } from '../../../src/mcp/prober.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';
import { GREETING, type RpcRequest } from '../../support/mcp-scripted.ts';
import { freePort, startHttp } from '../../support/mcp-servers.ts';

/** For what only a deadline ends; everything else has the patience of a busy machine. */
const SHORT_MS = 600;
const PATIENT_MS = 6_000;
const settledByMs = (timeoutMs: number) => (timeoutMs + 1_000) * 3;
const LIMITS = { bodyBytes: 512 * 1024, messages: 2_000 };

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function probe(url: string, timeoutMs = PATIENT_MS, headers: Record<string, string> = {}) {
  const prober = createProber({ clientInfo: CLIENT_INFO, limits: LIMITS });
  cleanUps.push(() => prober.close());
  const startedAt = performance.now();
  const outcome = await prober.probe(targetOf(url, { timeoutMs, headers }));
  expect(performance.now() - startedAt).toBeLessThan(settledByMs(timeoutMs));
  expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  expect(outcome.footprint.sessionsClosed).toBe(outcome.footprint.sessionsOpened);
  return { outcome, ...classify(outcome) };
}

type OnMessage = (message: RpcRequest, socket: WebSocket) => void;

const answerWell: OnMessage = ({ id, method }, socket) => {
  if (id === undefined) return;
  const result = method === 'initialize' ? GREETING : method === 'tools/list' ? { tools: [] } : {};
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
};

async function startServer(
  onMessage: OnMessage,
  options: { subprotocol?: false; onOpen?: (socket: WebSocket) => void } = {},
) {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    ...(options.subprotocol === false ? { handleProtocols: () => false as const } : {}),
  });
  await once(server, 'listening');
  const seen: Record<string, unknown>[] = [];
  server.on('connection', (socket, request) => {
    seen.push(request.headers);
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => onMessage(JSON.parse(String(data)) as RpcRequest, socket));
    options.onOpen?.(socket);
  });
  cleanUps.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, server, seen };
}

const CASES: Array<{
  name: string;
  onMessage?: OnMessage;
  onOpen?: (socket: WebSocket) => void;
  reason: Reason;
  fault?: object;
  waits?: true;
}> = [
  { name: 'a good one', reason: 'ok' },
  { name: 'silence', onMessage: () => undefined, reason: 'timeout_handshake' },
  {
    name: 'closing at once',
    onOpen: (socket) => socket.close(1011, 'no room'),
    reason: 'closed',
    fault: { kind: 'closed' },
  },
  { name: 'hanging up', onMessage: (_message, socket) => socket.terminate(), reason: 'closed' },
  {
    name: 'hanging up while listing',
    onMessage: (message, socket) =>
      message.method === 'tools/list' ? socket.terminate() : answerWell(message, socket),
    reason: 'closed',
    fault: { phase: 'list' },
  },
  {
    name: 'malformed JSON',
    waits: true,
    onMessage: (_message, socket) => socket.send('{"jsonrpc'),
    reason: 'protocol_error',
  },
  { name: 'a greeting in plain text first', onOpen: (socket) => socket.send('welcome'), reason: 'ok' },
  {
    name: 'binary JSON',
    onMessage: (message, socket) => {
      const result = message.method === 'initialize' ? GREETING : { tools: [] };
      if (message.id !== undefined)
        socket.send(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: message.id, result })));
    },
    reason: 'ok',
  },
  {
    name: 'one huge message',
    onMessage: (_message, socket) => socket.send('x'.repeat(2_000_000)),
    reason: 'answer_too_large',
    fault: { limit: 'body' },
  },
  {
    name: 'endless notifications',
    onMessage: (_message, socket) => {
      const more = () => {
        if (socket.readyState !== socket.OPEN) return;
        for (let count = 0; count < 50; count += 1)
          socket.send('{"jsonrpc":"2.0","method":"notifications/x"}');
        setImmediate(more);
      };
      more();
    },
    reason: 'answer_too_large',
    fault: { limit: 'messages' },
  },
  {
    name: 'a JSON-RPC error',
    onMessage: ({ id }, socket) =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message: 'no' } })),
    reason: 'rpc_error',
  },
];

describe('a hostile WebSocket server', () => {
  it.each(CASES)('$name: $reason', async ({ onMessage = answerWell, onOpen, reason, fault, waits }) => {
    const { url, server } = await startServer(onMessage, onOpen ? { onOpen } : {});
    const short = waits || reason.startsWith('timeout');
    const probed = await probe(url, short ? SHORT_MS : PATIENT_MS);
    expect(probed.reason, JSON.stringify(probed.outcome.fault)).toBe(reason);
    if (fault) expect(probed.outcome.fault).toMatchObject(fault);
    await expect.poll(() => server.clients.size).toBe(0);
  });

  it('does not speak the subprotocol of MCP', async () => {
    const { url } = await startServer(answerWell, { subprotocol: false });
    expect((await probe(url)).reason).toBe('not_mcp');
  });

  it('is not there', async () => {
    expect((await probe(`ws://127.0.0.1:${await freePort()}/`)).reason).toBe('refused');
  });

  it.each([
    [401, 'unauthenticated'],
    [404, 'not_found'],
    [503, 'server_error'],
  ] as const)('answers the upgrade with %i: %s', async (status, reason) => {
    const served = await startHttp(() => undefined);
    served.server.on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 ${status} No\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n`),
    );
    cleanUps.push(served.stop);
    const probed = await probe(served.url.replace('http', 'ws'));
    expect(probed.reason).toBe(reason);
    expect(probed.outcome.fault).toMatchObject({ status, retryAfterMs: 2_000 });
  });

  it('answers the upgrade as a web page', async () => {
    const served = await startHttp((_request, response) => void response.end('<p>Hello</p>'));
    cleanUps.push(served.stop);
    expect((await probe(served.url.replace('http', 'ws'))).reason).toBe('not_mcp');
  });

  it('never answers the upgrade', async () => {
    const served = await startHttp(() => undefined);
    const sockets: Array<{ destroy(): void }> = [];
    served.server.on('upgrade', (_request, socket) => sockets.push(socket));
    cleanUps.push(served.stop, () => {
      for (const socket of sockets) socket.destroy();
    });
    expect((await probe(served.url.replace('http', 'ws'), SHORT_MS)).reason).toBe('timeout_handshake');
  });

  it('is shown our headers', async () => {
    const { url, seen } = await startServer(answerWell);
    const { reason } = await probe(url, PATIENT_MS, { authorization: 'Bearer opensesame' });
    expect(reason).toBe('ok');
    expect(seen).toMatchObject([{ authorization: 'Bearer opensesame', 'sec-websocket-protocol': 'mcp' }]);
  });
});
