import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { classify } from '../../../src/core/classify.ts';
import type { ProbeTarget } from '../../../src/core/target.ts';
import { createResolver } from '../../../src/mcp/dns/resolver.ts';
import { createEgressPolicy } from '../../../src/mcp/egress.ts';
import { createProber, type Prober } from '../../../src/mcp/prober.ts';
import { type DnsAnswer, type DnsQuestion, type DnsServer, startDns } from '../../support/dns-server.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';
import { GREETING, type Script, startScripted } from '../../support/mcp-scripted.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of cleanups.splice(0).reverse()) await end();
});

/** What must never be reached; on the port that the target has on the permitted address. */
async function startInternal(port: number): Promise<string[]> {
  const hits: string[] = [];
  const server = createServer((request, response) => {
    hits.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.end('internal');
  });
  server.listen(port, '127.0.0.2');
  await once(server, 'listening');
  cleanups.push(() => new Promise((closed) => server.close(closed)));
  return hits;
}

async function startWorld(
  answer: (question: DnsQuestion, asked: number) => DnsAnswer,
  script: Script = {},
): Promise<{ dns: DnsServer; prober: Prober; port: number; received: string[]; internal: string[] }> {
  const dns = await startDns(answer);
  cleanups.push(() => dns.stop());
  const server = await startScripted(script);
  cleanups.push(() => server.stop());
  const prober = createProber({
    clientInfo: CLIENT_INFO,
    egress: createEgressPolicy({ mode: 'strict', allow: ['127.0.0.1/32'] }),
    resolver: createResolver({ servers: [dns.address], hostsFile: null, resolvConf: null, system: null }),
  });
  cleanups.push(() => prober.close());
  return {
    dns,
    prober,
    port: server.port,
    received: server.received,
    internal: await startInternal(server.port),
  };
}

/** The first answer names the permitted address, every later one the internal one. */
const rebinding = ({ type }: DnsQuestion, asked: number): DnsAnswer =>
  type === 'A' ? [asked === 1 ? '127.0.0.1' : '127.0.0.2'] : [];

describe('a name that means another address each time', () => {
  it('is judged once for a probe, which stays with the address that was judged', async () => {
    // Each answer ends its connection, so that the next request has to dial again.
    const closing: Script = {
      initialize: ({ result }) => result(GREETING, { connection: 'close', 'mcp-session-id': 's' }),
      ping: ({ result }) => result({}, { connection: 'close' }),
    };
    const { dns, prober, port, received, internal } = await startWorld(rebinding, closing);
    const outcome = await prober.probe(targetOf(`http://rebind.example:${port}/mcp`));
    expect(outcome.fault).toBeNull();
    expect(received).toEqual(['initialize', 'notifications/initialized', 'ping', 'tools/list', 'DELETE']);
    expect(internal).toEqual([]);
    expect(dns.questions.filter(({ type }) => type === 'A')).toHaveLength(1);

    const next = await prober.probe(targetOf(`http://rebind.example:${port}/mcp`));
    expect(classify(next)).toMatchObject({ verdict: 'unknown', reason: 'egress_denied' });
    expect(next.fault?.message).toBe('rebind.example: 127.0.0.2 is a loopback address');
    expect(internal).toEqual([]);
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });

  it('leads to the permitted one of its addresses alone', async () => {
    const { prober, port, internal } = await startWorld(({ type }) =>
      type === 'A' ? ['127.0.0.2', '10.0.0.1', '127.0.0.1'] : ['::1'],
    );
    const outcome = await prober.probe(targetOf(`http://mixed.example:${port}/mcp`));
    expect(outcome.fault).toBeNull();
    expect(internal).toEqual([]);
  });

  it.each(['http', 'sse', 'websocket'] as const)(
    'is denied over %s before anything is sent',
    async (transport) => {
      const { prober, port, internal } = await startWorld(() => ['127.0.0.2', '::ffff:127.0.0.2']);
      const scheme = transport === 'websocket' ? 'ws' : 'http';
      const outcome = await prober.probe(
        targetOf(`${scheme}://bad.example:${port}/x`, { transport, bearer: 'tok-123' }),
      );
      expect(outcome.fault).toMatchObject({ kind: 'egress' });
      expect(internal).toEqual([]);
    },
  );
});

describe('sealed credentials', () => {
  const sealedTarget = (url: string, opened: () => void): ProbeTarget => ({
    ...targetOf(url),
    reveal: () => {
      opened();
      return targetOf(url, { bearer: 'tok-12345' });
    },
  });

  it('stay sealed when the address is denied, by its name or as it stands in the URL', async () => {
    const { prober, port, internal } = await startWorld(() => ['127.0.0.2']);
    let opened = 0;
    for (const url of [`http://bad.example:${port}/`, `http://127.0.0.2:${port}/`, `http://[::1]:${port}/`]) {
      const outcome = await prober.probe(sealedTarget(url, () => opened++));
      expect(outcome.fault, url).toMatchObject({ kind: 'egress' });
    }
    expect(opened).toBe(0);
    expect(internal).toEqual([]);
  });

  it('are opened once the address was let through, and sent to that one', async () => {
    const seen: unknown[] = [];
    const { prober, port, internal } = await startWorld(rebinding, {
      initialize: ({ request, result }) => {
        seen.push(request.headers.authorization);
        result(GREETING);
      },
    });
    const outcome = await prober.probe(sealedTarget(`http://rebind.example:${port}/mcp`, () => undefined));
    expect(outcome.fault).toBeNull();
    expect(outcome.phases.dns).toBeGreaterThan(0);
    expect(seen).toEqual(['Bearer tok-12345']);
    expect(internal).toEqual([]);
  });

  it('stay sealed when the name does not resolve, or not in time', async () => {
    const { prober } = await startWorld(({ name }) => (name.startsWith('gone') ? 'nxdomain' : 'silence'));
    let opened = 0;
    const gone = await prober.probe(sealedTarget('http://gone.example/', () => opened++));
    expect(classify(gone).reason).toBe('dns');
    const silent = { ...sealedTarget('http://silent.example/', () => opened++), timeoutMs: 300 };
    expect(classify(await prober.probe(silent)).reason).toBe('timeout_connect');
    expect(opened).toBe(0);
  });
});

describe('addresses in disguise', () => {
  it.each([
    'http://2130706434',
    'http://0x7f000002',
    'http://0177.0.0.2',
    'http://127.2',
    'http://0',
    'http://[::ffff:127.0.0.2]',
    'http://[::127.0.0.2]',
    'http://[64:ff9b::7f00:2]',
    'http://127.0.0.2.',
    'http://①②⑦.0.0.2',
  ])('%s is denied', async (origin) => {
    const { prober, port, internal } = await startWorld(() => 'nxdomain');
    const outcome = await prober.probe(targetOf(`${origin}:${port}/mcp`));
    expect(outcome.fault).toMatchObject({ kind: 'egress' });
    expect(internal).toEqual([]);
  });
});

describe('what a target names', () => {
  it('a redirect to the metadata address is not followed', async () => {
    const { prober, port } = await startWorld(() => 'nxdomain', {
      initialize: ({ raw }) => raw(307, { location: 'http://169.254.169.254/latest/meta-data/' }),
    });
    const outcome = await prober.probe(targetOf(`http://127.0.0.1:${port}/mcp`));
    expect(classify(outcome).reason).toBe('redirect');
  });

  const oauth = (port: number, issuer?: string): ProbeTarget => ({
    ...targetOf(`http://127.0.0.1:${port}/mcp`),
    credentials: {
      kind: 'oauth',
      clientId: 'c',
      clientSecret: 'client-secret',
      ...(issuer === undefined ? {} : { issuer }),
    },
  });

  it('OAuth metadata on a denied address is not asked for', async () => {
    const { prober, port, internal } = await startWorld(() => 'nxdomain', {
      initialize: ({ raw }) =>
        raw(401, { 'www-authenticate': `Bearer resource_metadata="http://127.0.0.2:${port}/meta"` }),
    });
    const outcome = await prober.probe(oauth(port));
    expect(classify(outcome).reason).toBe('egress_denied');
    expect(internal).toEqual([]);
  });

  it('a token URL on a denied address is sent no secret', async () => {
    const { prober, port, internal } = await startWorld(() => 'nxdomain', {
      initialize: ({ raw }) => raw(401, {}),
      GET: ({ raw, request }) => {
        const self = `http://${request.headers.host}`;
        const elsewhere = `http://127.0.0.2:${port}`;
        const protectedResource = { resource: `${self}/mcp`, authorization_servers: [self] };
        const server = {
          issuer: self,
          authorization_endpoint: `${self}/authorize`,
          token_endpoint: `${elsewhere}/token`,
          response_types_supported: ['code'],
          grant_types_supported: ['client_credentials'],
          token_endpoint_auth_methods_supported: ['client_secret_basic'],
        };
        const body = request.url?.includes('protected-resource') ? protectedResource : server;
        raw(200, { 'content-type': 'application/json' }, JSON.stringify(body));
      },
    });
    const outcome = await prober.probe(oauth(port, `http://127.0.0.1:${port}`));
    expect(classify(outcome).reason).toBe('egress_denied');
    expect(internal).toEqual([]);
  });

  it('a port that browsers block is a port like any other', async () => {
    const hits: string[] = [];
    const server = createServer((request, response) => {
      hits.push(request.method ?? '');
      response.writeHead(404).end();
    });
    server.listen(6000, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => new Promise((closed) => server.close(closed)));
    const { prober } = await startWorld(() => 'nxdomain');
    const outcome = await prober.probe(targetOf('http://127.0.0.1:6000/mcp'));
    expect(classify(outcome).reason).toBe('not_found');
    expect(hits.length).toBeGreaterThan(0);
  });
});

describe('a 401 that names a document', () => {
  const refusing = (challenge: (port: string) => string, document: object): Script => ({
    initialize: ({ raw, request }) =>
      raw(401, { 'www-authenticate': challenge(String(request.headers.host)) }),
    GET: ({ raw }) => raw(200, { 'content-type': 'application/json' }, JSON.stringify(document)),
  });

  it('tells which authorization server and scopes are wanted', async () => {
    const { prober, port } = await startWorld(
      () => 'nxdomain',
      refusing((host) => `Bearer resource_metadata="http://${host}/meta"`, {
        authorization_servers: ['https://auth.example/tenant?x=1', 'javascript:alert(1)', 5],
        scopes_supported: ['read', 'write\u001b[31m'],
      }),
    );
    const outcome = await prober.probe(targetOf(`http://127.0.0.1:${port}/mcp`));
    const { reason, suggestion } = classify(outcome);
    expect(reason).toBe('unauthenticated');
    expect(suggestion).toBe(
      'Give the registry a token of https://auth.example/tenant with the scope read write [31m, or the client id and secret that get one (auth_type oauth).',
    );
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });

  it('asks nobody but the target for it', async () => {
    const { prober, port, internal } = await startWorld(
      () => 'nxdomain',
      refusing(
        (host) => `Bearer scope="mcp", resource_metadata="http://127.0.0.2:${host.split(':')[1]}/meta"`,
        {},
      ),
    );
    const { suggestion } = classify(await prober.probe(targetOf(`http://127.0.0.1:${port}/mcp`)));
    expect(suggestion).toMatch(/^Give the registry a token with the scope mcp,/);
    expect(internal).toEqual([]);
  });
});

it('a WebSocket goes to the address that was judged', async () => {
  const { prober, internal, dns, port } = await startWorld(rebinding);
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(sockets, 'listening');
  cleanups.push(() => new Promise((closed) => sockets.close(closed)));
  sockets.on('connection', (socket) => socket.close());
  const address = sockets.address();
  if (typeof address === 'string' || !address) throw new Error('no port');
  await prober.probe(targetOf(`ws://rebind.example:${address.port}/`));
  expect(internal).toEqual([]);
  expect(dns.questions.filter(({ type }) => type === 'A')).toHaveLength(1);
  expect(port).toBeGreaterThan(0);
});

describe('the resolver', () => {
  it('answers for good names while others are waited for in vain', async () => {
    const dns = await startDns(({ name, type }) =>
      name.startsWith('silent') ? 'silence' : type === 'A' ? ['192.0.2.1'] : ['2001:db8::1'],
    );
    cleanups.push(() => dns.stop());
    const resolver = createResolver({
      servers: [dns.address],
      hostsFile: null,
      resolvConf: null,
      system: null,
    });
    let settled = 0;
    const silent = Array.from({ length: 64 }, (_, index) =>
      resolver
        .resolve(`silent-${index}.example`, () => true)
        .catch((error) => {
          settled += 1;
          return error.code;
        }),
    );
    for (let count = 0; count < 10; count += 1) {
      const addresses = await resolver.resolve(`good-${count}.example`, () => true);
      expect(addresses.map(({ address }) => address)).toContain('192.0.2.1');
    }
    expect(settled).toBe(0);
    expect(new Set(await Promise.all(silent))).toEqual(new Set(['EAI_AGAIN']));
  });

  it('asks the system for what the DNS does not know, one name at a time, and not for a probe that is over', async () => {
    const dns = await startDns(() => 'nxdomain');
    cleanups.push(() => dns.stop());
    const asked: string[] = [];
    let atOnce = 0;
    let most = 0;
    const resolver = createResolver({
      servers: [dns.address],
      hostsFile: null,
      resolvConf: null,
      async system(host) {
        asked.push(host);
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(5);
        atOnce -= 1;
        return [{ address: '192.0.2.9', family: 4 }];
      },
    });
    const names = ['printer.local', 'other.local', 'third.local'];
    const found = await Promise.all(names.map((name) => resolver.resolve(name, () => true)));
    expect(found.flat()).toHaveLength(3);
    expect(asked.sort()).toEqual([...names].sort());
    expect(most).toBe(1);
    await expect(resolver.resolve('late.local', () => false)).rejects.toMatchObject({ code: 'ECANCELLED' });
    expect(asked).toHaveLength(3);
  });
});
