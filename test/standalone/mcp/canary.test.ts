import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { classify } from '../../../src/core/classify.ts';
import type { CanarySettings } from '../../../src/core/monitor/canary-settings.ts';
import type { ProbeTarget } from '../../../src/core/target.ts';
import { createProber } from '../../../src/mcp/prober.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';
import { GREETING, type RpcRequest, type Script, startScripted } from '../../support/mcp-scripted.ts';
import { STDIO_SERVERS, startEverything, startGateway, startStateless } from '../../support/mcp-servers.ts';

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Changes = Partial<Omit<CanarySettings, 'expect'>> & { expect?: Partial<CanarySettings['expect']> };

function canaryOf({ expect: expected, ...changes }: Changes = {}): CanarySettings {
  return {
    tool: 'good',
    arguments: {},
    allow: false,
    timeoutMs: 5_000,
    ...changes,
    expect: { isError: false, contains: null, jsonPath: [], withinMs: null, ...expected },
  };
}

/** One probe with a canary; whatever came of it, nothing is left behind. */
async function probe(target: ProbeTarget, canary: CanarySettings | null) {
  const prober = createProber({ clientInfo: CLIENT_INFO });
  try {
    const outcome = await prober.probe(target, { canary });
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
    return { outcome, ...classify(outcome) };
  } finally {
    await prober.close();
  }
}

const READ_ONLY = {
  name: 'good',
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: true },
};
const listing = (...tools: object[]): Script => ({ 'tools/list': ({ result }) => result({ tools }) });

async function scripted(script: Script) {
  const server = await startScripted(script);
  cleanUps.push(server.stop);
  return server;
}

describe('a canary of a real server', () => {
  const echo = canaryOf({
    tool: 'echo',
    allow: true,
    arguments: { message: 'tweet' },
    expect: { contains: 'tweet', jsonPath: [{ path: '$.content[0].type', equals: 'text' }] },
  });
  const wrong = { ...echo, expect: { ...echo.expect, contains: 'woof' } };

  it.each(['streamableHttp', 'sse'] as const)('sings over %s', async (transport) => {
    const server = await startEverything(transport);
    cleanUps.push(server.stop);
    const target = targetOf(server.url, transport === 'sse' ? { transport } : {});
    const good = await probe(target, echo);
    expect(good).toMatchObject({
      verdict: 'up',
      outcome: { canary: { ok: true, tool: 'echo', failure: null }, phases: { canary: expect.any(Number) } },
    });
    expect(good.outcome.bytes.sent).toBeGreaterThan(500);
    expect(good.outcome.bytes.received).toBeGreaterThan(1_000);
    const bad = await probe(target, wrong);
    expect(bad.outcome.inventory?.tools).toEqual(good.outcome.inventory?.tools);
    expect(bad).toMatchObject({
      verdict: 'degraded',
      reason: 'canary_failed',
      message: 'the call of echo failed: the result does not contain "woof"',
      outcome: { fault: null },
    });
  });

  it('sings over stdio', async () => {
    const good = await probe(targetOf(STDIO_SERVERS.everything), echo);
    expect(good).toMatchObject({ verdict: 'up', outcome: { canary: { ok: true } } });
    expect(good.outcome.bytes.sent).toBeGreaterThan(300);
    expect(good.outcome.bytes.received).toBeGreaterThan(1_000);
    expect(await probe(targetOf(STDIO_SERVERS.everything), wrong)).toMatchObject({ reason: 'canary_failed' });
  });

  it('sings over a WebSocket', async () => {
    const server = await startGateway();
    cleanUps.push(server.stop);
    const graph = canaryOf({
      tool: 'read_graph',
      allow: true,
      expect: { jsonPath: [{ path: '$.json.entities', equals: [] }] },
    });
    const good = await probe(targetOf(server.url), graph);
    expect(good).toMatchObject({ verdict: 'up', outcome: { canary: { ok: true } } });
    expect(good.outcome.bytes.received).toBeGreaterThan(1_000);
    const assertion = [{ path: '$.json.entities', equals: [1] }];
    expect(
      await probe(targetOf(server.url), { ...graph, expect: { ...graph.expect, jsonPath: assertion } }),
    ).toMatchObject({
      reason: 'canary_failed',
      message: 'the call of read_graph failed: $.json.entities is [], and was to be [1]',
    });
  });

  it('sings in the stateless era, over HTTP and over stdio', async () => {
    const server = await startStateless();
    cleanUps.push(server.stop);
    const add = canaryOf({
      tool: 'add',
      allow: true,
      arguments: { a: 19, b: 23 },
      expect: { jsonPath: [{ path: '$.json', equals: 42 }] },
    });
    expect(await probe(targetOf(server.url), add)).toMatchObject({
      verdict: 'up',
      outcome: { era: 'stateless', canary: { ok: true } },
    });
    expect(server.requests.filter((request) => request === 'POST tools/call')).toHaveLength(1);
    const { arguments: _none, ...rest } = add;
    expect(await probe(targetOf(server.url), { ...rest, arguments: { a: 'x' } })).toMatchObject({
      reason: 'canary_failed',
    });
    const now = canaryOf({ tool: 'now', allow: true });
    expect(await probe(targetOf(STDIO_SERVERS.stateless, { era: 'stateless' }), now)).toMatchObject({
      verdict: 'up',
      outcome: { era: 'stateless', canary: { ok: true } },
    });
  });
});

describe('a tool is called', () => {
  it('never without a canary', async () => {
    const server = await scripted(listing(READ_ONLY));
    expect(await probe(targetOf(server.url), null)).toMatchObject({
      verdict: 'up',
      outcome: { canary: null },
    });
    expect(server.received).not.toContain('tools/call');
  });

  it('once where it is marked as read-only', async () => {
    const server = await scripted({
      ...listing(READ_ONLY),
      'tools/call': ({ result, message }) => {
        expect(message.params).toMatchObject({ name: 'good', arguments: { q: [1] } });
        result({ content: [], structuredContent: { n: 1 } });
      },
    });
    const expected = { jsonPath: [{ path: '$.structuredContent.n', equals: 1 }] };
    const probed = await probe(targetOf(server.url), canaryOf({ arguments: { q: [1] }, expect: expected }));
    expect(probed).toMatchObject({ verdict: 'up' });
    expect(server.received.filter((method) => method === 'tools/call')).toHaveLength(1);
    expect(server.sessions.size).toBe(0);
  });

  it.each<[string, object[], string]>([
    ['without any annotation', [{ ...READ_ONLY, annotations: undefined }], 'canary_not_called'],
    [
      'that says it is not read-only',
      [{ ...READ_ONLY, annotations: { readOnlyHint: false } }],
      'canary_not_called',
    ],
    [
      'whose hint is no boolean',
      [{ ...READ_ONLY, annotations: { readOnlyHint: 'true' } }],
      'canary_not_called',
    ],
    [
      'that is listed twice, once without the hint',
      [READ_ONLY, { name: 'good', inputSchema: { type: 'object' } }],
      'canary_not_called',
    ],
    ['that is not listed', [{ ...READ_ONLY, name: 'other' }], 'canary_failed'],
  ])('never: a tool %s', async (_what, tools, reason) => {
    const server = await scripted(listing(...tools));
    const probed = await probe(targetOf(server.url), canaryOf());
    expect(probed).toMatchObject({ verdict: 'degraded', reason, outcome: { canary: { ok: false } } });
    expect(server.received).not.toContain('tools/call');
  });

  it('not when the listing failed: that is the news', async () => {
    const server = await scripted({ 'tools/list': ({ error }) => error(-32603, 'no list today') });
    expect(await probe(targetOf(server.url), canaryOf())).toMatchObject({
      reason: 'list_failed',
      outcome: { canary: null },
    });
  });
});

describe('a call that goes wrong is the canary’s failure', () => {
  it('an answer that takes longer than it may', async () => {
    const server = await scripted({
      ...listing(READ_ONLY),
      'tools/call': async ({ result }) => {
        await new Promise((resolve) => setTimeout(resolve, 40));
        result({ content: [] });
      },
    });
    const probed = await probe(targetOf(server.url), canaryOf({ expect: { withinMs: 5 } }));
    expect(probed.reason).toBe('canary_failed');
    expect(probed.message).toMatch(/it took \d+ ms, and was to take at most 5 ms/);
  });

  it('a secret among the arguments is not shown', async () => {
    const server = await scripted({
      ...listing(READ_ONLY),
      'tools/call': ({ error, message }) => error(-32602, `refused: ${JSON.stringify(message.params)}`),
    });
    const args = { apiKey: 'hunter22', auth: ['Bearer abcd'], city: 'Berlin' };
    const probed = await probe(targetOf(server.url), canaryOf({ arguments: args }));
    expect(probed.message).toContain('Berlin');
    expect(probed.message).not.toContain('hunter22');
    expect(probed.message).not.toContain('abcd');
  });

  it('a secret in the answer is not shown', async () => {
    const secret = 's3cr3t-token-of-ours';
    const server = await scripted({
      ...listing(READ_ONLY),
      'tools/call': ({ result, request }) =>
        result({
          isError: true,
          content: [{ type: 'text', text: `rejected ${request.headers.authorization}` }],
        }),
    });
    const probed = await probe(targetOf(server.url, { bearer: secret }), canaryOf());
    expect(probed.reason).toBe('canary_failed');
    expect(JSON.stringify(probed.outcome)).not.toContain(secret);
  });
});

it('what a server asks for in the middle of a call is refused', async () => {
  const refusals: unknown[] = [];
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mcp' });
  await once(server, 'listening');
  cleanUps.push(() => new Promise((closed) => server.close(closed)));
  server.on('connection', (socket) => {
    let call: number | undefined;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as RpcRequest & { error?: { code: number } };
      const reply = (result: object, id = message.id) =>
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
      if (message.method === 'initialize') reply(GREETING);
      else if (message.method === 'tools/list') reply({ tools: [READ_ONLY] });
      else if (message.method === 'ping') reply({});
      else if (message.method === 'tools/call') {
        call = message.id;
        for (const [id, method] of ['sampling/createMessage', 'elicitation/create', 'roots/list'].entries())
          socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1000 + id, method, params: {} }));
      } else if (message.error) {
        refusals.push(message.error.code);
        if (refusals.length === 3) reply({ content: [{ type: 'text', text: 'then without' }] }, call);
      }
    });
  });
  const { port } = server.address() as AddressInfo;
  const probed = await probe(
    targetOf(`ws://127.0.0.1:${port}`),
    canaryOf({ expect: { contains: 'without' } }),
  );
  expect(probed.verdict).toBe('up');
  expect(refusals).toEqual([-32601, -32601, -32601]);
});
