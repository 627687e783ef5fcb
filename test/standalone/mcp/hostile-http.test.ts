import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createProber } from '../../../src/mcp/prober.ts';
import { HTTP_CASES } from '../../fixtures/mcp-servers/hostile/http-cases.ts';
import { PATIENT_MS, SHORT_MS, testCases, watchedProber } from '../../support/hostile.ts';
import { CLIENT_INFO, targetOf } from '../../support/mcp-probing.ts';
import { drip, GOOD_TOOL, GREETING, type Script, startScripted } from '../../support/mcp-scripted.ts';
import { freePort } from '../../support/mcp-servers.ts';
import { expectHeld } from '../../support/watched-prober.ts';

const LIMITS = { bodyBytes: 1024 * 1024, lineBytes: 512 * 1024, pages: 20, items: 500, messages: 2_000 };
const pem = (name: string) =>
  readFileSync(new URL(`../../fixtures/mcp-servers/tls/${name}.pem`, import.meta.url), 'utf8');

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const prober = watchedProber();

/** Probes `url` and asserts what holds after every probe. */
async function probe(url: string, options: { timeoutMs?: number; extraCa?: string } = {}) {
  const timeoutMs = options.timeoutMs ?? PATIENT_MS;
  const watched = await prober().probe({
    words: [url],
    target: { timeoutMs },
    limits: LIMITS,
    ...(options.extraCa === undefined ? {} : { extraCa: options.extraCa }),
  });
  expectHeld(watched, timeoutMs);
  return { outcome: watched.outcome, ...watched.told };
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

describe('a hostile streamable HTTP server', () => {
  testCases(prober, HTTP_CASES, LIMITS);

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
        const answer = {
          jsonrpc: '2.0',
          id: message.id,
          result: { tools: [{ ...GOOD_TOOL, name: `tool-${page}` }], ...next },
        };
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
    expect({ reason, verdict }).toEqual({ reason: 'headers_too_large', verdict: 'down' });
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
