import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { classify } from '../../../src/core/classify.ts';
import type { Reason } from '../../../src/core/reasons.ts';
import { createProber } from '../../../src/mcp/prober.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';
import {
  drip,
  GOOD_TOOL,
  GREETING,
  type Script,
  startScripted,
  writeForEver,
} from '../../support/mcp-scripted.ts';
import { freePort } from '../../support/mcp-servers.ts';

/** For what only a deadline ends; everything else has the patience of a busy machine. */
const SHORT_MS = 600;
const PATIENT_MS = 6_000;
/** The deadline, the grace, and as much again for a busy machine. */
const settledByMs = (timeoutMs: number) => (timeoutMs + 1_000) * 3;
const LIMITS = { bodyBytes: 1024 * 1024, lineBytes: 512 * 1024, pages: 20, items: 500, messages: 2_000 };
const pem = (name: string) =>
  readFileSync(new URL(`../../fixtures/mcp-servers/tls/${name}.pem`, import.meta.url), 'utf8');

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Probes `url` and asserts what holds after every probe: it ends in time, and nothing is left. */
async function probe(url: string, options: { timeoutMs?: number; extraCa?: string } = {}) {
  const prober = createProber({
    clientInfo: CLIENT_INFO,
    limits: LIMITS,
    ...(options.extraCa === undefined ? {} : { extraCa: options.extraCa }),
  });
  cleanUps.push(() => prober.close());
  const timeoutMs = options.timeoutMs ?? PATIENT_MS;
  const startedAt = performance.now();
  const outcome = await prober.probe(targetOf(url, { timeoutMs }));
  expect(performance.now() - startedAt).toBeLessThan(settledByMs(timeoutMs));
  expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  return { outcome, ...classify(outcome) };
}

async function probeScript(script: Script, timeoutMs?: number) {
  const server = await startScripted(script);
  cleanUps.push(server.stop);
  const probed = await probe(server.url, timeoutMs === undefined ? {} : { timeoutMs });
  await expect.poll(server.connections).toBe(0);
  return { ...probed, server };
}

async function listenTcp(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const never = () => undefined;
const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };

interface Case {
  name: string;
  script: Script;
  reason: Reason;
  fault?: object;
  message?: RegExp;
  /** Only the deadline ends it, although the reason is another. */
  waits?: boolean;
}

const CASES: Case[] = [
  { name: 'silence', script: { initialize: never }, reason: 'timeout_handshake' },
  {
    name: 'a body that drips',
    script: {
      initialize: ({ response }) => {
        response.writeHead(200, json);
        drip(
          (text) => response.write(text),
          ' ',
          () => response.destroyed,
        );
      },
    },
    reason: 'timeout_handshake',
  },
  {
    name: 'initialized never answered',
    script: { 'notifications/initialized': never },
    reason: 'timeout_handshake',
  },
  { name: 'ping never answered', script: { ping: never }, reason: 'timeout_ping' },
  { name: 'a listing never answered', script: { 'tools/list': never }, reason: 'timeout_list' },
  {
    name: '401',
    script: { initialize: ({ raw }) => raw(401, { 'www-authenticate': 'Bearer realm="x"' }) },
    reason: 'unauthenticated',
    fault: { kind: 'http', status: 401, challenge: 'Bearer realm="x"' },
  },
  { name: '403', script: { initialize: ({ raw }) => raw(403, {}) }, reason: 'forbidden' },
  { name: '404', script: { initialize: ({ raw }) => raw(404, {}) }, reason: 'not_found' },
  { name: '405', script: { initialize: ({ raw }) => raw(405, {}) }, reason: 'method_not_allowed' },
  { name: '406', script: { initialize: ({ raw }) => raw(406, {}) }, reason: 'client_error' },
  {
    name: '429 with Retry-After in seconds',
    script: { initialize: ({ raw }) => raw(429, { 'retry-after': '7' }) },
    reason: 'rate_limited',
    fault: { retryAfterMs: 7_000 },
  },
  {
    name: '500 with a text',
    script: { initialize: ({ raw }) => raw(500, { 'content-type': 'text/plain' }, 'database gone') },
    reason: 'server_error',
    message: /500.*database gone/,
  },
  {
    name: '503 while listing',
    script: { 'tools/list': ({ raw }) => raw(503, {}) },
    reason: 'server_error',
    fault: { phase: 'list', status: 503 },
  },
  {
    name: '500 with an endless body',
    script: { initialize: ({ response }) => writeForEver(response.writeHead(500), 'no '.repeat(10_000)) },
    reason: 'server_error',
  },
  {
    name: '500 with a body that never ends',
    script: { initialize: ({ response }) => void response.writeHead(500).write('wait') },
    reason: 'server_error',
  },
  {
    name: 'a redirect to another origin',
    script: { initialize: ({ raw }) => raw(307, { location: 'http://127.0.0.1:9/mcp' }) },
    reason: 'redirect',
    fault: { status: 307, location: 'http://127.0.0.1:9/mcp' },
  },
  {
    name: 'a redirect in a circle',
    script: { initialize: ({ raw }) => raw(308, { location: '/mcp' }) },
    reason: 'redirect',
  },
  {
    name: 'a listing announced as 100 MB',
    script: {
      'tools/list': ({ response }) =>
        writeForEver(response.writeHead(200, { ...json, 'content-length': '100000000' }), 'x'.repeat(10_000)),
    },
    reason: 'too_large',
    fault: { kind: 'limit', limit: 'body' },
  },
  {
    name: 'an endless JSON body',
    script: { initialize: ({ response }) => writeForEver(response.writeHead(200, json), '['.repeat(10_000)) },
    reason: 'answer_too_large',
    fault: { limit: 'body' },
  },
  {
    name: 'a gzip bomb',
    script: {
      initialize: ({ response }) => {
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
        response.end(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
      },
    },
    reason: 'answer_too_large',
    fault: { limit: 'body' },
  },
  {
    name: 'a gzip body that is none',
    script: { initialize: ({ raw }) => raw(200, { ...json, 'content-encoding': 'gzip' }, 'plain') },
    reason: 'protocol_error',
  },
  {
    name: 'an event stream without a line break',
    script: {
      initialize: ({ response }) => writeForEver(response.writeHead(200, events), 'x'.repeat(10_000)),
    },
    reason: 'answer_too_large',
    fault: { limit: 'line' },
  },
  {
    name: 'an event stream of comments alone',
    script: {
      initialize: ({ response }) =>
        writeForEver(response.writeHead(200, events), `:${'.'.repeat(1_000)}\n\n`),
    },
    reason: 'answer_too_large',
    fault: { limit: 'body' },
  },
  {
    name: 'an event stream of notifications alone',
    script: {
      initialize: ({ response }) =>
        writeForEver(
          response.writeHead(200, events),
          'data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n',
        ),
    },
    reason: 'answer_too_large',
    fault: { limit: 'messages' },
  },
  {
    name: 'an event stream that ends without the answer',
    script: { 'tools/list': ({ raw }) => raw(200, events, ': bye\n\n') },
    reason: 'closed',
  },
  {
    name: 'an event stream that stays silent',
    script: { initialize: ({ response }) => void response.writeHead(200, events).write(': hello\n\n') },
    reason: 'timeout_handshake',
  },
  {
    name: 'malformed JSON in an event stream',
    script: { initialize: ({ raw }) => raw(200, events, 'data: {"jsonrpc":"2.0", oops\n\n') },
    reason: 'protocol_error',
    message: /not valid JSON/,
  },
  {
    name: 'malformed JSON in an event stream that stays open',
    waits: true,
    script: { initialize: ({ response }) => void response.writeHead(200, events).write('data: oops\n\n') },
    reason: 'protocol_error',
  },
  { name: '202 to initialize', script: { initialize: ({ raw }) => raw(202, {}) }, reason: 'not_mcp' },
  { name: '204 to initialize', script: { initialize: ({ raw }) => raw(204, {}) }, reason: 'not_mcp' },
  {
    name: 'HTML',
    script: { initialize: ({ raw }) => raw(200, { 'content-type': 'text/html' }, '<h1>Login</h1>') },
    reason: 'not_mcp',
  },
  { name: 'no content type', script: { initialize: ({ raw }) => raw(200, {}, 'hello') }, reason: 'not_mcp' },
  {
    name: 'JSON that is no JSON-RPC',
    script: { initialize: ({ raw }) => raw(200, json, '{"status":"ok"}') },
    reason: 'not_mcp',
  },
  { name: 'an empty body', script: { initialize: ({ raw }) => raw(200, json) }, reason: 'protocol_error' },
  {
    name: 'malformed JSON',
    script: { initialize: ({ raw }) => raw(200, json, '{"jsonrpc"') },
    reason: 'protocol_error',
  },
  {
    name: 'the answer to another request',
    script: { initialize: ({ raw }) => raw(200, json, '{"jsonrpc":"2.0","id":77,"result":{}}') },
    reason: 'protocol_error',
  },
  {
    name: 'a greeting of the wrong shape',
    script: { initialize: ({ result }) => result({ protocolVersion: '2025-06-18', capabilities: {} }) },
    reason: 'protocol_error',
    message: /serverInfo/,
  },
  {
    name: 'a JSON-RPC error to initialize',
    script: { initialize: ({ error }) => error(-32603, 'out of cheese') },
    reason: 'rpc_error',
    fault: { kind: 'rpc', code: -32603 },
    message: /out of cheese/,
  },
  {
    name: 'a protocol version from the future',
    script: { initialize: ({ result }) => result({ ...GREETING, protocolVersion: '2099-01-01' }) },
    reason: 'protocol_version',
    fault: { kind: 'version', offered: '2099-01-01' },
  },
  {
    name: 'a cursor that repeats',
    script: { 'tools/list': ({ result }) => result({ tools: [GOOD_TOOL], nextCursor: 'again' }) },
    reason: 'list_unbounded',
    fault: { limit: 'pages' },
    message: /circle/,
  },
  {
    name: 'a cursor that never ends',
    script: { 'tools/list': ({ result }) => result({ tools: [], nextCursor: String(Math.random()) }) },
    reason: 'list_unbounded',
    fault: { limit: 'pages' },
  },
  {
    name: 'more entries than anyone has',
    script: { 'tools/list': ({ result }) => result({ tools: new Array(501).fill(GOOD_TOOL) }) },
    reason: 'list_unbounded',
    fault: { limit: 'items' },
  },
  {
    name: 'headers that never end',
    script: {
      initialize: ({ response }) => {
        response.socket?.write(`HTTP/1.1 200 OK\r\n${'x-filler: y\r\n'.repeat(5_000)}`);
      },
    },
    reason: 'answer_too_large',
    fault: { limit: 'headers' },
  },
  {
    name: 'a connection that is reset in the body',
    script: {
      initialize: ({ response }) => {
        response.writeHead(200, { ...json, 'content-length': '500' }).write('{"jsonrpc":');
        setImmediate(() => response.socket?.resetAndDestroy());
      },
    },
    reason: 'closed',
  },
  {
    name: 'a connection that is closed in place of an answer',
    script: { 'tools/list': ({ response }) => void response.socket?.end() },
    reason: 'closed',
  },
];

describe('a hostile streamable HTTP server', () => {
  it.each(CASES)('$name: $reason', async ({ script, reason, fault, message, waits }) => {
    const short = waits || reason.startsWith('timeout');
    const probed = await probeScript(script, short ? SHORT_MS : PATIENT_MS);
    expect(probed.reason, JSON.stringify(probed.outcome.fault)).toBe(reason);
    if (fault) expect(probed.outcome.fault).toMatchObject(fault);
    if (message) expect(probed.message).toMatch(message);
    expect(probed.outcome.inventory).toBeNull();
    // Whatever went wrong: a session that was given is ended again.
    expect(probed.server.sessions.size).toBe(0);
    expect(probed.outcome.footprint.sessionsClosed).toBe(probed.outcome.footprint.sessionsOpened);
  });

  it('ends the session that came with a greeting that was no good', async () => {
    const { server, outcome } = await probeScript({
      initialize: ({ result }) =>
        result({ ...GREETING, protocolVersion: '1999-01-01' }, { 'mcp-session-id': 'early' }),
    });
    expect(outcome.footprint).toEqual({ sessionsOpened: 1, sessionsClosed: 1 });
    expect(server.received).toEqual(['initialize', 'DELETE']);
  });

  it('ends the session when the deadline passes in the middle', async () => {
    const { server, outcome } = await probeScript({ 'tools/list': never }, SHORT_MS);
    expect(server.sessions.size).toBe(0);
    expect(outcome.footprint).toEqual({ sessionsOpened: 1, sessionsClosed: 1 });
  });

  it.each([405, 404, 501])('takes a DELETE answered %i as the end of the session', async (status) => {
    const { outcome } = await probeScript({ DELETE: ({ raw }) => raw(status, {}) });
    expect(outcome.fault).toBeNull();
    expect(outcome.footprint).toEqual({ sessionsOpened: 1, sessionsClosed: 1 });
  });

  it('is not kept by a DELETE that is never answered, and says what it left', async () => {
    const { reason, outcome } = await probeScript({ DELETE: never });
    expect(reason).toBe('ok');
    expect(outcome.footprint).toEqual({ sessionsOpened: 1, sessionsClosed: 0 });
  });

  it('reads Retry-After as a date', async () => {
    const when = new Date(Date.now() + 60_000).toUTCString();
    const { outcome } = await probeScript({ initialize: ({ raw }) => raw(429, { 'retry-after': when }) });
    const wait = outcome.fault?.kind === 'http' ? outcome.fault.retryAfterMs : undefined;
    expect(wait).toBeGreaterThan(30_000);
    expect(wait).toBeLessThanOrEqual(60_000);
  });

  it('follows a redirect within the origin, with body and method', async () => {
    const { reason, server } = await probeScript({
      initialize: ({ request, raw, result }) =>
        request.url === '/mcp' ? raw(307, { location: '/mcp/' }) : result(GREETING),
    });
    expect(reason).toBe('ok');
    expect(server.received.filter((method) => method === 'initialize')).toHaveLength(2);
  });

  it('answers what it is asked by the server, and goes on', async () => {
    const asked = { jsonrpc: '2.0', id: 'roots-1', method: 'roots/list' };
    const { reason, server } = await probeScript({
      'tools/list': ({ message, response }) => {
        const answer = { jsonrpc: '2.0', id: message.id, result: { tools: [GOOD_TOOL] } };
        response.writeHead(200, events).write(`data: ${JSON.stringify(asked)}\n\n`);
        setTimeout(() => response.end(`data: ${JSON.stringify(answer)}\n\n`), 50);
      },
      // A response of ours has no method, and is looked up as undefined.
      undefined: ({ raw }) => raw(202, {}),
    });
    expect(reason).toBe('ok');
    expect(server.received).toHaveLength(6);
  });
});

describe('a server that is odd, and up', () => {
  it('does not implement ping', async () => {
    const { reason, outcome } = await probeScript({ ping: ({ error }) => error(-32601, 'no ping') });
    expect(reason).toBe('ok');
    expect(outcome.warnings.map(({ code }) => code)).toEqual(['ping_not_implemented']);
  });

  it('gives -32601 a 404 of HTTP', async () => {
    const { reason, outcome } = await probeScript({
      ping: ({ error }) => error(-32601, 'no ping', 404),
      'tools/list': ({ error }) => error(-32601, 'no tools', 404),
    });
    expect(reason).toBe('ok');
    expect(outcome.warnings.map(({ code }) => code)).toEqual([
      'ping_not_implemented',
      'list_not_implemented',
    ]);
  });

  it('advertises a family that it does not implement', async () => {
    const { reason, outcome } = await probeScript({
      initialize: ({ result }) =>
        result({ ...GREETING, capabilities: { tools: {}, resources: {}, prompts: {} } }),
      'prompts/list': ({ error }) => error(-32601, 'no prompts'),
      'resources/list': ({ result }) => result({ resources: [{ uri: 'a://b', name: 'b' }] }),
      'resources/templates/list': ({ error }) => error(-32601, 'no templates'),
    });
    expect(reason).toBe('ok');
    // Templates have no capability of their own: not having them needs no word.
    expect(outcome.warnings).toMatchObject([{ code: 'list_not_implemented', kind: 'prompts' }]);
    expect(outcome.inventory).toMatchObject({ tools: [{}], resources: [{}], prompts: [] });
  });

  it.each([
    ['with a JSON-RPC error', { 'tools/list': ({ error }) => error(-32603, 'kaputt') } satisfies Script],
    [
      'with a result of the wrong shape',
      { 'tools/list': ({ result }) => result({ tools: 'many' }) } satisfies Script,
    ],
  ])('fails one listing %s, and lists the others', async (_how, script) => {
    const { reason, verdict, outcome } = await probeScript({
      initialize: ({ result }) => result({ ...GREETING, capabilities: { tools: {}, prompts: {} } }),
      'prompts/list': ({ result }) => result({ prompts: [{ name: 'p' }] }),
      ...script,
    });
    expect({ reason, verdict }).toEqual({ reason: 'list_failed', verdict: 'degraded' });
    expect(outcome.warnings).toMatchObject([{ code: 'list_failed', kind: 'tools' }]);
    expect(outcome.inventory?.prompts).toEqual([{ name: 'p' }]);
  });

  it('defines some tools wrongly: the others are kept, as they were sent', async () => {
    const fine = { ...GOOD_TOOL, 'x-vendor': { kept: true } };
    const { reason, outcome } = await probeScript({
      'tools/list': ({ result }) =>
        result({
          tools: [
            fine,
            { name: 'no-type', inputSchema: {} },
            { name: 'null-description', description: null, inputSchema: { type: 'object' } },
            { name: 'one-of', inputSchema: { type: 'object' }, outputSchema: { oneOf: [] } },
            { inputSchema: { type: 'object' } },
            'not even an object',
          ],
        }),
    });
    expect(reason).toBe('invalid_definition');
    expect(outcome.inventory?.tools).toHaveLength(5);
    expect(outcome.inventory?.tools[0]).toEqual(fine);
    const messages = outcome.warnings.map(({ message }) => message).join('\n');
    for (const name of ['no-type', 'null-description', 'one-of', 'no. 5', 'no. 6'])
      expect(messages).toContain(name);
    expect(outcome.warnings).toHaveLength(5);
  });

  it('has 10,000 tools, in one page or in a hundred', async () => {
    const tools = Array.from({ length: 10_000 }, (_, index) => ({ ...GOOD_TOOL, name: `tool-${index}` }));
    const server = await startScripted({
      'tools/list': ({ message, result }) => {
        const from = Number(message.params?.cursor ?? 0);
        const size = server.url.endsWith('paged') ? 100 : 10_000;
        const next = from + size < tools.length ? { nextCursor: String(from + size) } : {};
        result({ tools: tools.slice(from, from + size), ...next });
      },
    });
    cleanUps.push(server.stop);
    const prober = createProber({ clientInfo: CLIENT_INFO });
    const whole = await prober.probe(targetOf(server.url, { timeoutMs: 20_000 }));
    server.url = `${server.url}/paged`;
    const paged = await prober.probe(targetOf(server.url, { timeoutMs: 20_000 }));
    expect([whole.fault, paged.fault]).toEqual([null, null]);
    expect(whole.inventory?.tools).toHaveLength(10_000);
    expect(paged.inventory?.tools).toEqual(whole.inventory?.tools);
  });

  it('goes on with a stream that it ended early, when it is asked to', async () => {
    let listId: number | undefined;
    const { reason } = await probeScript({
      'tools/list': ({ message, raw }) => {
        listId = message.id;
        raw(200, events, 'id: 42\nretry: 10\ndata:\n\n');
      },
      GET: ({ request, raw }) => {
        const answer = { jsonrpc: '2.0', id: listId, result: { tools: [GOOD_TOOL] } };
        if (request.headers['last-event-id'] === '42')
          raw(200, events, `id: 43\ndata: ${JSON.stringify(answer)}\n\n`);
        else raw(400, {});
      },
    });
    expect(reason).toBe('ok');
  });

  it('has a name of a megabyte, with colours', async () => {
    const name = `\u001b[31m${'n'.repeat(900_000)}`;
    const { outcome } = await probeScript({
      initialize: ({ result }) => result({ ...GREETING, serverInfo: { name, version: '1\u0000' } }),
    });
    expect(outcome.serverInfo?.name).toMatch(/^\[31mn+…$/);
    expect(outcome.serverInfo?.name.length).toBe(200);
    expect(outcome.serverInfo?.version).toBe('1');
  });

  it('closes its keep-alive connections at once', async () => {
    const { reason } = await probeScript({
      'notifications/initialized': ({ response }) => {
        response.writeHead(202, { 'content-length': '0' }).end();
        setImmediate(() => response.socket?.destroy());
      },
    });
    expect(reason).toBe('ok');
  });
});

describe('a server that takes more than its share', () => {
  it('with a new session on every answer is given up, and sees no burst of DELETEs', async () => {
    let opened = 0;
    let atOnce = 0;
    let most = 0;
    const { reason, outcome, server } = await probeScript({
      'tools/list': ({ result }) => {
        opened += 1;
        result({ tools: [], nextCursor: String(opened) }, { 'mcp-session-id': `s-${opened}` });
      },
      DELETE: async ({ raw }) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setTimeout(resolve, 5));
        atOnce -= 1;
        raw(200, {});
      },
    });
    expect(reason).toBe('protocol_error');
    expect(outcome.fault?.message).toContain('more than 8 sessions');
    expect(outcome.footprint).toEqual({ sessionsOpened: 9, sessionsClosed: 9 });
    expect(server.received.filter((method) => method === 'DELETE')).toHaveLength(9);
    expect(most).toBe(1);
  });

  it('that leaves its event streams open is still listed, on few sockets', async () => {
    let most = 0;
    const pages = 12;
    const server = await startScripted({
      'tools/list': async ({ message, response }) => {
        most = Math.max(most, await server.connections());
        const page = Number(message.params?.cursor ?? 0) + 1;
        const next = page < pages ? { nextCursor: String(page) } : {};
        const answer = { jsonrpc: '2.0', id: message.id, result: { tools: [GOOD_TOOL], ...next } };
        response.writeHead(200, events).write(`data: ${JSON.stringify(answer)}\n\n`);
      },
    });
    cleanUps.push(server.stop);
    expect((await probe(server.url)).reason).toBe('ok');
    expect(server.received.filter((method) => method === 'tools/list')).toHaveLength(pages);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('that switches protocols is no MCP server', async () => {
    const port = await listenTcp((socket) => {
      socket.on('data', () =>
        socket.write('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      );
    });
    expect((await probe(`http://127.0.0.1:${port}/mcp`)).reason).toBe('not_mcp');
  });

  it('with endless headers before its greeting is down, whatever it was before', async () => {
    const { reason, verdict } = await probeScript({
      initialize: ({ raw }) => raw(200, { ...json, 'x-big': 'y'.repeat(40_000) }),
    });
    expect({ reason, verdict }).toEqual({ reason: 'answer_too_large', verdict: 'down' });
  });
});

describe('a pinned era', () => {
  const pinned = async (script: Script, timeoutMs = PATIENT_MS) => {
    const server = await startScripted(script);
    cleanUps.push(server.stop);
    const prober = createProber({ clientInfo: CLIENT_INFO });
    return prober.probe(targetOf(server.url, { era: 'stateless', timeoutMs }));
  };

  it('that a server leaves unanswered gives way to the other one', async () => {
    const outcome = await pinned({ 'server/discover': never }, 3_000);
    expect(outcome).toMatchObject({ fault: null, era: 'handshake' });
  });

  it('that a server answers late is still its era', async () => {
    const capabilities = { tools: {} };
    const supportedVersions = ['2026-07-28'];
    const outcome = await pinned(
      {
        'server/discover': ({ result }) =>
          void setTimeout(() => result({ supportedVersions, capabilities, resultType: 'complete' }), 1_200),
        initialize: ({ error }) => error(-32601, 'Method not found', 404),
      },
      3_000,
    );
    expect(outcome).toMatchObject({ fault: null, era: 'stateless' });
  });

  it('that is not confirmed is not told', async () => {
    const outcome = await pinned({ 'server/discover': never, initialize: ({ raw }) => raw(500, {}) }, 3_000);
    expect(outcome).toMatchObject({ era: null, fault: { kind: 'http', phase: 'handshake', status: 500 } });
  });
});

describe('a port with no MCP behind it', () => {
  it('refuses the connection', async () => {
    const { reason, outcome } = await probe(`http://127.0.0.1:${await freePort()}/mcp`);
    expect(reason).toBe('refused');
    expect(outcome.fault).toMatchObject({ kind: 'network', code: 'ECONNREFUSED' });
  });

  it('is dialled although browsers would not', async () => {
    expect((await probe('http://127.0.0.1:6000/mcp')).reason).toBe('refused');
  });

  it('has a name that does not resolve', async () => {
    const { reason, outcome } = await probe('http://no-such-host.invalid/mcp', { timeoutMs: 5_000 });
    expect(reason).toBe('dns');
    expect(outcome.fault).toMatchObject({ kind: 'network', phase: 'dns' });
  });

  it('says nothing', async () => {
    const port = await listenTcp(never);
    const { reason, outcome } = await probe(`http://127.0.0.1:${port}/mcp`, { timeoutMs: SHORT_MS });
    expect(reason).toBe('timeout_handshake');
    expect(outcome.fault).toMatchObject({ kind: 'timeout', phase: 'handshake' });
  });

  it('drips headers', async () => {
    const port = await listenTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      drip(
        (text) => socket.write(text),
        'z',
        () => socket.destroyed,
      );
    });
    expect((await probe(`http://127.0.0.1:${port}/mcp`, { timeoutMs: SHORT_MS })).reason).toBe(
      'timeout_handshake',
    );
  });

  it('speaks something else', async () => {
    const port = await listenTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect((await probe(`http://127.0.0.1:${port}/mcp`)).reason).toBe('not_mcp');
  });

  it('closes at once', async () => {
    const port = await listenTcp((socket) => socket.end());
    expect((await probe(`http://127.0.0.1:${port}/mcp`)).reason).toBe('closed');
  });
});

describe('TLS', () => {
  async function startTls(certificate: string): Promise<string> {
    const server = createTlsServer({ key: pem('key'), cert: pem(certificate) }, (request, response) => {
      request.resume();
      request.on('end', () => {
        const result = request.method === 'DELETE' ? {} : GREETING;
        response.writeHead(200, json).end(JSON.stringify({ jsonrpc: '2.0', id: 0, result }));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUps.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `https://localhost:${(server.address() as AddressInfo).port}/mcp`;
  }

  it.each([
    ['self-signed', 'tls_untrusted', undefined],
    ['valid', 'tls_untrusted', undefined],
    ['other-name', 'tls_untrusted', pem('ca')],
    ['expired', 'tls_expired', pem('ca')],
  ] as const)('with a certificate that is %s: %s', async (certificate, reason, extraCa) => {
    const url = await startTls(certificate);
    const probed = await probe(url, { timeoutMs: 5_000, ...(extraCa === undefined ? {} : { extraCa }) });
    expect(probed.reason, JSON.stringify(probed.outcome.fault)).toBe(reason);
    expect(probed.outcome.fault?.kind).toBe('tls');
  });

  it('with a certificate of a known authority is timed', async () => {
    const { outcome } = await probe(await startTls('valid'), { timeoutMs: 5_000, extraCa: pem('ca') });
    expect(outcome.serverInfo).toEqual(GREETING.serverInfo);
    expect(outcome.phases.tls).toBeGreaterThan(0);
    expect(outcome.phases.dns).toBeGreaterThan(0);
    expect(outcome.certificate).toMatchObject({ subject: expect.any(String), issuer: expect.any(String) });
    expect(outcome.bytes.sent).toBeGreaterThan(200);
    expect(outcome.bytes.received).toBeGreaterThan(200);
  });

  it('never answered', async () => {
    const port = await listenTcp(never);
    const { reason, outcome } = await probe(`https://127.0.0.1:${port}/mcp`, { timeoutMs: SHORT_MS });
    expect(reason).toBe('timeout_connect');
    expect(outcome.fault).toMatchObject({ kind: 'timeout', phase: 'tls' });
  });

  it('on a port that has none', async () => {
    const server = await startScripted();
    cleanUps.push(server.stop);
    const { reason } = await probe(server.url.replace('http:', 'https:'));
    expect(reason).toBe('tls_other');
  });
});
