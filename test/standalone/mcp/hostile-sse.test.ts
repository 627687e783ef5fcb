import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { classify } from '../../../src/core/classify.ts';
import type { Reason } from '../../../src/core/reasons.ts';
import { probeAny } from '../../../src/mcp/probe-any.ts';
import { createProber, type Prober } from '../../../src/mcp/prober.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';
import { GREETING, type RpcRequest, writeForEver } from '../../support/mcp-scripted.ts';
import { readBody, startEverything, startHttp } from '../../support/mcp-servers.ts';

/** For what only a deadline ends; everything else has the patience of a busy machine. */
const SHORT_MS = 600;
const PATIENT_MS = 6_000;
const settledByMs = (timeoutMs: number) => (timeoutMs + 1_000) * 3;
const LIMITS = { bodyBytes: 512 * 1024, lineBytes: 256 * 1024, messages: 2_000 };

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface SseScript {
  /** How the event stream begins; by default with the endpoint event. */
  open?: (response: ServerResponse) => void;
  /** What a POSTed message brings; by default a 202, and the right answer on the stream. */
  post?: (message: RpcRequest, response: ServerResponse, stream: ServerResponse) => void;
}

const ENDPOINT = 'event: endpoint\ndata: /message?session=1\n\n';
const openStream = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(ENDPOINT);
};
const say = (stream: ServerResponse, payload: object) =>
  stream.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...payload })}\n\n`);
const answerWell = (message: RpcRequest, response: ServerResponse, stream: ServerResponse) => {
  response.writeHead(202).end('Accepted');
  sayResult(message, stream);
};
const sayResult = ({ id, method }: RpcRequest, stream: ServerResponse) => {
  if (id === undefined) return;
  const result = method === 'initialize' ? GREETING : method === 'tools/list' ? { tools: [] } : {};
  say(stream, { id, result });
};

/** Accepts each message, and then does something to the event stream. */
const accepting =
  (act: (stream: ServerResponse) => unknown): NonNullable<SseScript['post']> =>
  (_message, response, stream) => {
    response.writeHead(202).end();
    act(stream);
  };

async function startSse({ open = openStream, post = answerWell }: SseScript) {
  let stream: ServerResponse | undefined;
  const streams = new Set<ServerResponse>();
  const served = await startHttp(async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'GET') {
      stream = response;
      streams.add(response);
      response.on('close', () => streams.delete(response));
      open(response);
    } else if (stream && request.url?.startsWith('/message')) {
      post(JSON.parse(await readBody(request)) as RpcRequest, response, stream);
    } else {
      response.writeHead(404).end();
    }
  });
  cleanUps.push(served.stop);
  return { url: `${served.url}/sse`, streams };
}

function makeProber(): Prober {
  const prober = createProber({ clientInfo: CLIENT_INFO, limits: LIMITS });
  cleanUps.push(() => prober.close());
  return prober;
}

async function probeScript(script: SseScript, timeoutMs: number) {
  const server = await startSse(script);
  const prober = makeProber();
  const startedAt = performance.now();
  const outcome = await prober.probe(targetOf(server.url, { transport: 'sse', timeoutMs }));
  expect(performance.now() - startedAt).toBeLessThan(settledByMs(timeoutMs));
  expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  expect(outcome.footprint.sessionsClosed).toBe(outcome.footprint.sessionsOpened);
  await expect.poll(() => server.streams.size).toBe(0);
  return { outcome, ...classify(outcome) };
}

const status = (code: number, headers: Record<string, string> = {}, body = '') => ({
  open: (response: ServerResponse) => {
    response.writeHead(code, headers).end(body);
  },
});

const CASES: Array<{ name: string; script: SseScript; reason: Reason; fault?: object; waits?: true }> = [
  { name: 'a good one', script: {}, reason: 'ok' },
  { name: '404', script: status(404), reason: 'not_found' },
  {
    name: '401',
    script: status(401, { 'www-authenticate': 'Bearer' }),
    reason: 'unauthenticated',
    fault: { challenge: 'Bearer' },
  },
  {
    name: '429',
    script: status(429, { 'retry-after': '3' }),
    reason: 'rate_limited',
    fault: { retryAfterMs: 3_000 },
  },
  { name: '302 elsewhere', script: status(302, { location: 'http://127.0.0.1:9/' }), reason: 'redirect' },
  { name: 'HTML', script: status(200, { 'content-type': 'text/html' }, '<p>'), reason: 'not_mcp' },
  {
    name: 'no endpoint',
    script: {
      open: (response) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n'),
    },
    reason: 'timeout_handshake',
  },
  { name: 'silence', script: { open: () => undefined }, reason: 'timeout_handshake' },
  {
    name: 'an endpoint of another origin',
    script: {
      open: (response) =>
        void response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .write('event: endpoint\ndata: http://127.0.0.1:9/message\n\n'),
    },
    reason: 'protocol_error',
  },
  {
    name: 'a stream that ends at once',
    script: {
      open: (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
    },
    reason: 'closed',
  },
  {
    name: 'a stream that ends after the endpoint',
    script: { post: accepting((stream) => stream.end()) },
    reason: 'closed',
  },
  {
    name: 'a POST that fails',
    script: { post: (_message, response) => void response.writeHead(500).end() },
    reason: 'server_error',
  },
  { name: 'a POST that is never answered', script: { post: () => undefined }, reason: 'timeout_handshake' },
  {
    name: 'a message that is never answered',
    script: { post: (_message, response) => void response.writeHead(202).end() },
    reason: 'timeout_handshake',
  },
  {
    name: 'POSTs of which the body never ends',
    script: {
      post: (message, response, stream) => {
        response.writeHead(202).write('Accepted');
        sayResult(message, stream);
      },
    },
    reason: 'ok',
  },
  {
    name: 'malformed JSON',
    waits: true,
    script: { post: accepting((stream) => stream.write('data: {"oops\n\n')) },
    reason: 'protocol_error',
  },
  {
    name: 'an endless line',
    script: { post: accepting((stream) => writeForEver(stream, 'x'.repeat(9_999))) },
    reason: 'answer_too_large',
    fault: { limit: 'line' },
  },
  {
    name: 'endless notifications',
    script: {
      post: accepting((stream) =>
        writeForEver(stream, 'data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'),
      ),
    },
    reason: 'answer_too_large',
    fault: { limit: 'messages' },
  },
  {
    name: 'a JSON-RPC error',
    script: {
      post: ({ id }, response, stream) => {
        response.writeHead(202).end();
        say(stream, { id, error: { code: -32000, message: 'not today' } });
      },
    },
    reason: 'rpc_error',
    fault: { kind: 'rpc', code: -32000 },
  },
];

describe('a hostile SSE server', () => {
  it.each(CASES)('$name: $reason', async ({ script, reason, fault, waits }) => {
    const short = waits || reason.startsWith('timeout');
    const probed = await probeScript(script, short ? SHORT_MS : PATIENT_MS);
    expect(probed.reason, JSON.stringify(probed.outcome.fault)).toBe(reason);
    if (fault) expect(probed.outcome.fault).toMatchObject(fault);
  });
});

describe('a URL of which the transport is not known', () => {
  it('is probed as SSE when it is no streamable HTTP server', async () => {
    const server = await startEverything('sse');
    cleanUps.push(server.stop);
    const outcome = await probeAny(makeProber(), targetOf(server.url));
    expect(outcome).toMatchObject({ fault: null, transport: 'sse' });
    expect(outcome.serverInfo?.name).toContain('everything');
  });

  it('is probed once when it refuses us, fails, or is not there', async () => {
    for (const code of [401, 403, 500]) {
      const methods: string[] = [];
      const served = await startHttp((request, response) => {
        methods.push(request.method ?? '');
        response.writeHead(code).end();
      });
      cleanUps.push(served.stop);
      const outcome = await probeAny(makeProber(), targetOf(served.url, { timeoutMs: PATIENT_MS }));
      expect(outcome.fault).toMatchObject({ kind: 'http', status: code });
      expect(methods).toEqual(['POST']);
    }
  });

  it('keeps the first answer when it is neither', async () => {
    const served = await startHttp((_request, response) => void response.writeHead(404).end());
    cleanUps.push(served.stop);
    const outcome = await probeAny(makeProber(), targetOf(served.url, { timeoutMs: PATIENT_MS }));
    expect(outcome).toMatchObject({ transport: 'http', fault: { kind: 'http', status: 404 } });
  });

  it('has one deadline for both tries', async () => {
    const served = await startHttp((request, response) => {
      if (request.method === 'POST') setTimeout(() => response.writeHead(404).end(), SHORT_MS / 2);
    });
    cleanUps.push(served.stop);
    const startedAt = performance.now();
    const outcome = await probeAny(makeProber(), targetOf(served.url, { timeoutMs: SHORT_MS * 2 }));
    expect(performance.now() - startedAt).toBeLessThan(settledByMs(SHORT_MS * 2));
    expect(outcome.fault).toMatchObject({ kind: 'http', status: 404 });
  });
});
