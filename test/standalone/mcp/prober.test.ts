import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { classify } from '../../../src/core/classify.ts';
import { createProber } from '../../../src/mcp/prober.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';
import { GREETING, type RpcRequest, startScripted } from '../../support/mcp-scripted.ts';
import { STDIO_SERVERS, startEverything, startStateless } from '../../support/mcp-servers.ts';

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function makeProber() {
  const prober = createProber({ clientInfo: CLIENT_INFO });
  cleanUps.push(() => prober.close());
  return prober;
}

describe('the era', () => {
  it('is negotiated again when the pinned one fails: a real handshake server over HTTP', async () => {
    const server = await startEverything('streamableHttp');
    cleanUps.push(server.stop);
    const outcome = await makeProber().probe(targetOf(server.url, { era: 'stateless' }));
    expect(outcome).toMatchObject({ fault: null, era: 'handshake', protocolVersion: '2025-11-25' });
  });

  it('is negotiated again when the pinned one fails: a real handshake server over stdio', async () => {
    const prober = makeProber();
    const outcome = await prober.probe(targetOf(STDIO_SERVERS.memory, { era: 'stateless' }));
    expect(outcome).toMatchObject({ fault: null, era: 'handshake' });
    expect(outcome.footprint).toEqual({ sessionsOpened: 1, sessionsClosed: 1 });
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });

  it('is negotiated again when the pinned one fails: a server of the stateless era alone', async () => {
    const server = await startStateless();
    cleanUps.push(server.stop);
    const outcome = await makeProber().probe(targetOf(server.url, { era: 'handshake' }));
    expect(outcome).toMatchObject({ fault: null, era: 'stateless' });
  });

  it.each([400, 404, 405, 406, 500])(
    'is the handshake when server/discover is answered %i',
    async (status) => {
      const server = await startScripted({ 'server/discover': ({ raw }) => raw(status, {}) });
      cleanUps.push(server.stop);
      const outcome = await makeProber().probe(targetOf(server.url, { era: 'stateless' }));
      expect(outcome).toMatchObject({ fault: null, era: 'handshake' });
      expect(server.sessions.size).toBe(0);
    },
  );

  it('is the handshake when a process says nothing to server/discover, or ends at it', async () => {
    const script = (atDiscover: string) => `
      require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { id, method } = JSON.parse(line);
        if (method === 'server/discover') { ${atDiscover} }
        const result = method === 'initialize' ? ${JSON.stringify(GREETING)} : { tools: [] };
        if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
      });`;
    for (const atDiscover of ['return;', 'process.exit(1);']) {
      const prober = makeProber();
      const words = [process.execPath, '-e', script(atDiscover)];
      const outcome = await prober.probe(targetOf(words, { era: 'stateless', timeoutMs: 6_000 }));
      expect(outcome, atDiscover).toMatchObject({ fault: null, era: 'handshake' });
      expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
    }
  });

  it('is the handshake when a WebSocket says nothing to server/discover', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    cleanUps.push(() => server.close());
    server.on('connection', (socket) =>
      socket.on('message', (data) => {
        const { id, method } = JSON.parse(String(data)) as RpcRequest;
        if (id === undefined || method === 'server/discover') return;
        const result = method === 'initialize' ? GREETING : { tools: [] };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
      }),
    );
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const outcome = await makeProber().probe(targetOf(url, { era: 'stateless', timeoutMs: 3_000 }));
    expect(outcome).toMatchObject({ fault: null, era: 'handshake' });
  });

  it('is that of a server newer than we are: its version is named', async () => {
    for (const answer of ['result', 'error'] as const) {
      const data = { supported: ['2031-01-01'] };
      const refusal = JSON.stringify({
        jsonrpc: '2.0',
        id: 0,
        error: { code: -32022, message: 'too old', data },
      });
      const server = await startScripted({
        initialize: ({ raw }) => raw(400, { 'content-type': 'application/json' }, refusal),
        'server/discover': ({ raw, result }) =>
          answer === 'error'
            ? raw(200, { 'content-type': 'application/json' }, refusal)
            : result({ supportedVersions: ['2031-01-01'], capabilities: {}, resultType: 'complete' }),
      });
      cleanUps.push(server.stop);
      const outcome = await makeProber().probe(targetOf(server.url));
      expect(outcome.fault).toMatchObject({ kind: 'version', offered: '2031-01-01' });
    }
  });

  it.each([401, 403, 404, 429, 503])('is not asked about when initialize is answered %i', async (status) => {
    const server = await startScripted({ initialize: ({ raw }) => raw(status, {}) });
    cleanUps.push(server.stop);
    const outcome = await makeProber().probe(targetOf(server.url));
    expect(outcome.fault).toMatchObject({ kind: 'http', status });
    expect(server.received).toEqual(['initialize']);
  });
});

describe('a probe', () => {
  it('leaves no session at a real server', async () => {
    const server = await startEverything('streamableHttp');
    cleanUps.push(server.stop);
    const prober = makeProber();
    for (let count = 0; count < 5; count += 1) {
      const outcome = await prober.probe(targetOf(server.url));
      expect(outcome.footprint).toEqual({ sessionsOpened: 1, sessionsClosed: 1 });
    }
    expect(server.output().match(/Session initialized/g)).toHaveLength(5);
    expect(server.output().match(/session termination request/g)).toHaveLength(5);
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });

  it('uses one connection', async () => {
    let connections = 0;
    const server = await startScripted();
    server.server.on('connection', () => {
      connections += 1;
    });
    cleanUps.push(server.stop);
    await makeProber().probe(targetOf(server.url));
    expect(server.received).toEqual([
      'initialize',
      'notifications/initialized',
      'ping',
      'tools/list',
      'DELETE',
    ]);
    expect(connections).toBe(1);
  });

  it('times its phases apart, and their sum is no more than the whole', async () => {
    const slow = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const server = await startScripted({
      ping: async ({ result }) => {
        await slow(40);
        result({});
      },
      'tools/list': async ({ result }) => {
        await slow(80);
        result({ tools: [] });
      },
    });
    cleanUps.push(server.stop);
    const outcome = await makeProber().probe(targetOf(server.url.replace('127.0.0.1', 'localhost')));
    const {
      dns = 0,
      connect = 0,
      handshake = 0,
      ping = 0,
      list = 0,
      close = 0,
      firstByte = 0,
    } = outcome.phases;
    for (const phase of [dns, connect, handshake, close, firstByte]) expect(phase).toBeGreaterThan(0);
    expect(ping).toBeGreaterThanOrEqual(39);
    expect(list).toBeGreaterThanOrEqual(79);
    expect(outcome.phases.tls).toBeUndefined();
    expect(dns + connect + handshake + ping + list + close).toBeLessThanOrEqual(outcome.totalMs + 0.1);
    expect(firstByte).toBeLessThanOrEqual(handshake + 0.1);
  });

  it('lists nothing when it is not asked to', async () => {
    const server = await startScripted();
    cleanUps.push(server.stop);
    const outcome = await makeProber().probe(targetOf(server.url), { inventory: false });
    expect(outcome).toMatchObject({ fault: null, inventory: null });
    expect(server.received).not.toContain('tools/list');
  });

  it('ends when it is told to, and says nothing about the target', async () => {
    const server = await startScripted({ ping: () => stop.abort() });
    cleanUps.push(server.stop);
    const stop = new AbortController();
    const prober = makeProber();
    const outcome = await prober.probe(targetOf(server.url), { signal: stop.signal });
    expect(classify(outcome)).toMatchObject({ verdict: 'unknown', reason: 'internal' });
    expect(server.sessions.size).toBe(0);
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
    const late = await prober.probe(targetOf(server.url), { signal: stop.signal });
    expect(late.fault?.kind).toBe('internal');
    expect(server.received.filter((method) => method === 'initialize')).toHaveLength(1);
  });

  it('has many others beside it, at servers good and bad', async () => {
    const good = await startScripted();
    const bad = await startScripted({ 'tools/list': ({ response }) => void response.destroy() });
    cleanUps.push(good.stop, bad.stop);
    const prober = makeProber();
    const urls = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? good.url : bad.url));
    const outcomes = await Promise.all(urls.map((url) => prober.probe(targetOf(url))));
    expect(outcomes.filter(({ fault }) => fault === null)).toHaveLength(50);
    expect(outcomes.filter(({ fault }) => fault?.kind === 'closed')).toHaveLength(50);
    expect([good.sessions.size, bad.sessions.size]).toEqual([0, 0]);
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });
});

describe('a prober that is closed', () => {
  it('ends what is in flight, on every transport, and starts nothing more', async () => {
    const server = await startScripted({ 'tools/list': () => undefined });
    cleanUps.push(server.stop);
    const prober = makeProber();
    const silent = [process.execPath, '-e', 'setInterval(() => undefined, 1000)'];
    const probes = [prober.probe(targetOf(server.url)), prober.probe(targetOf(silent))];
    await expect.poll(() => server.received).toContain('tools/list');
    expect(prober.footprint()).toMatchObject({ childrenLive: 1, sessionsOpen: 2 });
    await prober.close();
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
    for (const outcome of await Promise.all(probes)) expect(outcome.fault?.kind).toBe('internal');
    expect((await prober.probe(targetOf(server.url))).fault?.kind).toBe('internal');
    expect(server.sessions.size).toBe(0);
  });
});
