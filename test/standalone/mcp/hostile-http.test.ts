import { describe, expect, it } from 'vitest';
import { startHostile } from '../../fixtures/mcp-servers/hostile/hostile-case.ts';
import { HTTP_CASES } from '../../fixtures/mcp-servers/hostile/http-cases.ts';
import { PORT_CASES } from '../../fixtures/mcp-servers/hostile/port-cases.ts';
import {
  type HostileProbe,
  probeHostile,
  SHORT_MS,
  testCases,
  watchedProber,
} from '../../support/hostile.ts';
import { GOOD_TOOL, GREETING, type Script } from '../../support/mcp-scripted.ts';

const LIMITS = { bodyBytes: 1024 * 1024, lineBytes: 512 * 1024, pages: 20, items: 500, messages: 2_000 };
const prober = watchedProber();

const probeScript = (script: Script, options: HostileProbe = {}) =>
  probeHostile(prober(), () => startHostile(script), { limits: LIMITS, ...options });
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
    const { server, outcome } = await probeScript({ 'tools/list': never }, { timeoutMs: SHORT_MS });
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
    const inPagesOf = (size: number): Script => ({
      'tools/list': ({ message, result }) => {
        const from = Number(message.params?.cursor ?? 0);
        const next = from + size < tools.length ? { nextCursor: String(from + size) } : {};
        result({ tools: tools.slice(from, from + size), ...next });
      },
    });
    const ordinary = { limits: {}, timeoutMs: 20_000 };
    const whole = await probeScript(inPagesOf(10_000), ordinary);
    const paged = await probeScript(inPagesOf(100), ordinary);
    expect([whole.reason, paged.reason]).toEqual(['ok', 'ok']);
    expect(whole.outcome.inventory?.tools).toHaveLength(10_000);
    expect(paged.outcome.inventory?.tools).toEqual(whole.outcome.inventory?.tools);
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
    const start = async () => {
      const seen = { opened: 0, atOnce: 0, most: 0 };
      const server = await startHostile({
        'tools/list': ({ result }) => {
          seen.opened += 1;
          result({ tools: [], nextCursor: String(seen.opened) }, { 'mcp-session-id': `s-${seen.opened}` });
        },
        DELETE: async ({ raw }) => {
          seen.atOnce += 1;
          seen.most = Math.max(seen.most, seen.atOnce);
          await new Promise((resolve) => setTimeout(resolve, 5));
          seen.atOnce -= 1;
          raw(200, {});
        },
      });
      return Object.assign(server, { seen });
    };
    const { reason, outcome, server } = await probeHostile(prober(), start, { limits: LIMITS });
    expect(reason).toBe('protocol_error');
    expect(outcome.fault?.message).toContain('more than 8 sessions');
    expect(outcome.footprint).toEqual({ sessionsOpened: 9, sessionsClosed: 9 });
    expect(server.received.filter((method) => method === 'DELETE')).toHaveLength(9);
    expect(server.seen.most).toBe(1);
  });

  it('that leaves its event streams open is still listed, on few sockets', async () => {
    const pages = 12;
    const start = async () => {
      const seen = { most: 0 };
      const server = await startHostile({
        'tools/list': async ({ message, response }) => {
          seen.most = Math.max(seen.most, await server.connections());
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
      return Object.assign(server, { seen });
    };
    const { reason, server } = await probeHostile(prober(), start, { limits: LIMITS });
    expect(reason).toBe('ok');
    expect(server.received.filter((method) => method === 'tools/list')).toHaveLength(pages);
    expect(server.seen.most).toBeLessThanOrEqual(4);
  });

  it('with endless headers before its greeting is down, whatever it was before', async () => {
    const { reason, verdict } = await probeScript({
      initialize: ({ raw }) => raw(200, { ...json, 'x-big': 'y'.repeat(40_000) }),
    });
    expect({ reason, verdict }).toEqual({ reason: 'headers_too_large', verdict: 'down' });
  });
});

describe.concurrent('a pinned era', () => {
  const pinned = async (script: Script) => {
    const order = { target: { era: 'stateless' as const }, timeoutMs: 3_000, waits: true };
    return (await probeScript(script, order)).outcome;
  };

  it('that a server leaves unanswered gives way to the other one', async () => {
    const outcome = await pinned({ 'server/discover': never });
    expect(outcome).toMatchObject({ fault: null, era: 'handshake' });
  });

  it('that a server answers late is still its era', async () => {
    const capabilities = { tools: {} };
    const supportedVersions = ['2026-07-28'];
    const outcome = await pinned({
      'server/discover': ({ result }) =>
        void setTimeout(() => result({ supportedVersions, capabilities, resultType: 'complete' }), 1_200),
      initialize: ({ error }) => error(-32601, 'Method not found', 404),
    });
    expect(outcome).toMatchObject({ fault: null, era: 'stateless' });
  });

  it('that is not confirmed is not told', async () => {
    const outcome = await pinned({ 'server/discover': never, initialize: ({ raw }) => raw(500, {}) });
    expect(outcome).toMatchObject({ era: null, fault: { kind: 'http', phase: 'handshake', status: 500 } });
  });
});

describe('a port with no MCP behind it', () => {
  testCases(prober, PORT_CASES, LIMITS);
});
