import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { classify } from '../../../src/core/classify.ts';
import type { RegistryServer } from '../../../src/core/target.ts';
import { createEgressPolicy } from '../../../src/mcp/egress.ts';
import { createProber, type ProberOptions } from '../../../src/mcp/prober.ts';
import { targetOfServer } from '../../../src/mcp/target.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT } from '../../support/mcp-probing.ts';
import { type Exchange, GREETING, type RpcRequest, startScripted } from '../../support/mcp-scripted.ts';
import { readBody, startHttp } from '../../support/mcp-servers.ts';

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function makeProber(options: Partial<ProberOptions> = {}) {
  const prober = createProber({ clientInfo: CLIENT_INFO, ...options });
  cleanUps.push(() => prober.close());
  return prober;
}

function targetFor(url: string, authType: string, authConfig: unknown, row: Partial<RegistryServer> = {}) {
  const target = targetOfServer(
    {
      id: 's1',
      name: 'one',
      endpointUrl: url,
      transportType: 'http',
      authType,
      authConfig,
      settings: {},
      ...row,
    },
    { timeoutMs: 3_000 },
  );
  if ('kind' in target) throw new Error(target.message);
  return target;
}

describe('credentials of the registry', () => {
  it.each([
    ['bearer', { bearerToken: 'abc.def' }, { authorization: 'Bearer abc.def' }],
    ['api_key', { apiKey: 'key-1' }, { 'x-api-key': 'key-1' }],
    ['api_key', { apiKey: 'key-1', custom: { headerName: 'X-Team-Key' } }, { 'x-team-key': 'key-1' }],
    ['custom', { custom: { headers: { 'X-One': 'first', 'x-two': 2 } } }, { 'x-one': 'first', 'x-two': '2' }],
    [
      'bearer',
      { bearerToken: 't', custom: { headers: { 'x-tenant': 'a' } } },
      { authorization: 'Bearer t', 'x-tenant': 'a' },
    ],
  ])('of auth_type %s go into the headers of every request', async (authType, authConfig, headers) => {
    const seen: unknown[] = [];
    const server = await startScripted({
      DELETE: ({ request, raw }) => {
        seen.push(request.headers);
        raw(200, {});
      },
      'tools/list': ({ request, result }) => {
        seen.push(request.headers);
        result({ tools: [] });
      },
    });
    cleanUps.push(server.stop);
    const outcome = await makeProber().probe(targetFor(server.url, authType, authConfig));
    expect(outcome.fault).toBeNull();
    expect(seen).toMatchObject([headers, headers]);
  });

  it('go along on SSE and on the POSTs of its endpoint', async () => {
    const seen: unknown[] = [];
    const served = await startHttp(async (request, response) => {
      seen.push(request.headers.authorization);
      if (request.method === 'POST') {
        await readBody(request);
        response.writeHead(403).end();
      } else {
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .write('event: endpoint\ndata: /m\n\n');
      }
    });
    cleanUps.push(served.stop);
    const target = targetFor(served.url, 'bearer', { bearerToken: 'tok-1' }, { transportType: 'sse' });
    expect(classify(await makeProber().probe(target)).reason).toBe('forbidden');
    expect(seen).toEqual(['Bearer tok-1', 'Bearer tok-1']);
  });

  it('of a URL become a header, and are hidden in what a server repeats', async () => {
    const server = await startScripted({
      initialize: ({ request, raw }) =>
        raw(500, { 'content-type': 'text/plain' }, `bad: ${request.headers.authorization} ${request.url}`),
    });
    cleanUps.push(server.stop);
    const url = new URL(server.url);
    url.username = 'me';
    url.password = 'open sesame';
    url.search = '?api_key=verysecret';
    const { fault } = await makeProber().probe(targetFor(url.href, 'none', null));
    expect(server.headers.authorization).toBe(`Basic ${Buffer.from('me:open sesame').toString('base64')}`);
    expect(fault?.message).toContain('bad: ***');
    expect(fault?.message).not.toMatch(/verysecret|sesame|Basic/);
  });

  it('may hold a User-Agent, which is then sent once', async () => {
    const agents: string[] = [];
    const server = await startScripted({
      initialize: ({ request, result }) => {
        for (const [at, text] of request.rawHeaders.entries())
          if (text.toLowerCase() === 'user-agent') agents.push(request.rawHeaders[at + 1] ?? '');
        result(GREETING);
      },
    });
    cleanUps.push(server.stop);
    const authConfig = { custom: { headers: { 'User-Agent': 'mine/1' } } };
    await makeProber().probe(targetFor(server.url, 'custom', authConfig));
    expect(agents).toEqual(['mine/1']);
  });

  it('never show in a fault, whatever the server does with them', async () => {
    const token = 'tok-SECRET-0123456789';
    const server = await startScripted({
      initialize: ({ raw }) =>
        raw(
          401,
          { 'www-authenticate': `Bearer error="${token}"`, 'content-type': 'text/plain' },
          `no ${token}\u001b[31m`,
        ),
    });
    cleanUps.push(server.stop);
    const { fault } = await makeProber().probe(targetFor(server.url, 'bearer', { bearerToken: token }));
    expect(JSON.stringify(fault)).not.toContain('SECRET');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is the point
    expect(fault?.message).not.toMatch(/[\u0000-\u001f]/);
    expect(fault).toMatchObject({ challenge: 'Bearer error="***"' });
  });
});

describe('a token in the body of a refusal', () => {
  it.each([0, 170, 195, 199, 480, 65_530])('is hidden %i characters into it', async (before) => {
    const token = 'tok-SECRET-0123456789';
    const server = await startScripted({
      initialize: ({ raw }) =>
        raw(500, { 'content-type': 'text/plain' }, '.'.repeat(before) + `${token} `.repeat(3_000)),
    });
    cleanUps.push(server.stop);
    const { fault } = await makeProber().probe(targetFor(server.url, 'bearer', { bearerToken: token }));
    expect(fault?.message.length).toBeGreaterThan(100);
    expect(fault?.message).not.toContain('tok');
  });
});

interface AuthorizationServer {
  issuer: string;
  tokenRequests: Array<{ body: URLSearchParams; authorization: string | undefined }>;
  answer: { status: number; body: object };
}

/** A server that issues tokens, and says so in its well-known documents. */
async function startAuthorizationServer(): Promise<AuthorizationServer> {
  const authorization: AuthorizationServer = {
    issuer: '',
    tokenRequests: [],
    answer: {
      status: 200,
      body: { access_token: 'granted-token-1', token_type: 'bearer', expires_in: 3_600 },
    },
  };
  const served = await startHttp(async (request, response) => {
    const reply = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const body = await readBody(request);
    if (request.url === '/.well-known/oauth-authorization-server') {
      reply(200, {
        issuer: authorization.issuer,
        authorization_endpoint: `${authorization.issuer}/authorize`,
        token_endpoint: `${authorization.issuer}/token`,
        response_types_supported: ['code'],
        grant_types_supported: ['client_credentials'],
      });
    } else if (request.url === '/token') {
      authorization.tokenRequests.push({
        body: new URLSearchParams(body),
        authorization: request.headers.authorization,
      });
      reply(authorization.answer.status, authorization.answer.body);
    } else {
      reply(404, {});
    }
  });
  cleanUps.push(served.stop);
  authorization.issuer = served.url;
  return authorization;
}

const OAUTH = { oauth: { clientId: 'client-1', clientSecret: 'client-secret-1', scope: 'tools:read' } };

/** A resource that wants a token of `authorization`, and says where to get it. */
async function startProtected(authorization: AuthorizationServer, accepted: () => string) {
  const guard = ({ request, raw }: Exchange, url: string) => {
    if (request.headers.authorization === `Bearer ${accepted()}`) return true;
    raw(401, {
      'www-authenticate': `Bearer resource_metadata="${new URL(url).origin}/.well-known/oauth-protected-resource/mcp"`,
    });
    return false;
  };
  const server = await startScripted({
    initialize: (exchange) => {
      if (guard(exchange, server.url)) exchange.result(GREETING);
    },
    'tools/list': (exchange) => {
      if (guard(exchange, server.url)) exchange.result({ tools: [] });
    },
    GET: ({ request, raw }) =>
      request.url?.startsWith('/.well-known/oauth-protected-resource')
        ? raw(
            200,
            { 'content-type': 'application/json' },
            JSON.stringify({ resource: server.url, authorization_servers: [authorization.issuer] }),
          )
        : raw(404, {}),
  });
  cleanUps.push(server.stop);
  return server;
}

describe('OAuth client credentials', () => {
  it('get a token when the server asks for one, and keep it for the next probe', async () => {
    const authorization = await startAuthorizationServer();
    const server = await startProtected(authorization, () => 'granted-token-1');
    const prober = makeProber();
    const target = targetFor(server.url, 'oauth', OAUTH);
    const first = await prober.probe(target);
    expect(first.fault).toBeNull();
    expect(first.phases.auth).toBeGreaterThan(0);
    expect(authorization.tokenRequests).toHaveLength(1);
    const [request] = authorization.tokenRequests;
    expect(request?.body.get('grant_type')).toBe('client_credentials');
    expect(request?.body.get('scope')).toBe('tools:read');
    expect(request?.authorization).toBe(
      `Basic ${Buffer.from('client-1:client-secret-1').toString('base64')}`,
    );

    const second = await prober.probe(target);
    expect(second.fault).toBeNull();
    expect(second.phases.auth).toBeUndefined();
    expect(authorization.tokenRequests).toHaveLength(1);
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });

  it('get a new token when the one that is kept is refused', async () => {
    const authorization = await startAuthorizationServer();
    let accepted = 'granted-token-1';
    const server = await startProtected(authorization, () => accepted);
    const prober = makeProber();
    const target = targetFor(server.url, 'oauth', OAUTH);
    expect((await prober.probe(target)).fault).toBeNull();
    accepted = 'granted-token-2';
    authorization.answer.body = { access_token: 'granted-token-2', token_type: 'bearer' };
    expect((await prober.probe(target)).fault).toBeNull();
    expect(authorization.tokenRequests).toHaveLength(2);
  });

  it('are no token for ever: one that has expired is not shown', async () => {
    const authorization = await startAuthorizationServer();
    authorization.answer.body = { access_token: 'granted-token-1', token_type: 'bearer', expires_in: 0 };
    const server = await startProtected(authorization, () => 'granted-token-1');
    const prober = makeProber();
    const target = targetFor(server.url, 'oauth', OAUTH);
    expect((await prober.probe(target)).fault).toBeNull();
    expect((await prober.probe(target)).fault).toBeNull();
    expect(authorization.tokenRequests).toHaveLength(2);
  });

  it('say so when the authorization server refuses, and hide the secret', async () => {
    const authorization = await startAuthorizationServer();
    authorization.answer = {
      status: 401,
      body: { error: 'invalid_client', error_description: 'wrong secret client-secret-1' },
    };
    const server = await startProtected(authorization, () => 'none');
    const outcome = await makeProber().probe(targetFor(server.url, 'oauth', OAUTH));
    expect(outcome.fault?.kind).toBe('oauth');
    expect(outcome.fault?.message).toContain('invalid_client');
    expect(outcome.fault?.message).not.toContain('client-secret-1');
    expect(classify(outcome).reason).toBe('oauth_failed');
  });

  describe('three quarters into the life of a token', () => {
    const DAY_MS = 86_400_000;
    afterEach(() => vi.useRealTimers());

    async function afterDays(days: number, whenDue: (authorization: AuthorizationServer) => void) {
      const authorization = await startAuthorizationServer();
      authorization.answer.body = {
        access_token: 'granted-token-1',
        token_type: 'bearer',
        expires_in: (40 * DAY_MS) / 1_000,
      };
      const server = await startProtected(authorization, () => 'granted-token-1');
      const prober = makeProber();
      const target = targetFor(server.url, 'oauth', OAUTH);
      expect((await prober.probe(target)).fault).toBeNull();
      whenDue(authorization);
      // The clock alone: timers and sockets go on as they are.
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * DAY_MS });
      const outcome = await prober.probe(target);
      expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
      return { ...classify(outcome), outcome, requests: authorization.tokenRequests.length };
    }

    it('it is renewed by a probe that goes well with the old one', async () => {
      expect(await afterDays(29, () => undefined)).toMatchObject({ reason: 'ok', requests: 1 });
      const renewed = await afterDays(31, () => undefined);
      expect(renewed).toMatchObject({ reason: 'ok', requests: 2 });
      expect(renewed.outcome.phases.auth).toBeGreaterThan(0);
    });

    it('a renewal that is refused has a reason of its own, with the days that are left', async () => {
      const told = await afterDays(31, (authorization) => {
        authorization.answer = { status: 401, body: { error: 'invalid_client', error_description: 'gone' } };
      });
      expect(told).toMatchObject({ verdict: 'degraded', reason: 'oauth_renewal_failed' });
      expect(told.message).toMatch(/serves for 8 days more.*invalid_client/);
      expect(told.outcome.inventory).not.toBeNull();
    });

    it('once it has expired the reason is another', async () => {
      const told = await afterDays(41, (authorization) => {
        authorization.answer = { status: 401, body: { error: 'invalid_client' } };
      });
      expect(told).toMatchObject({ verdict: 'unauthenticated', reason: 'oauth_failed' });
    });
  });

  it('fail with the reason of the server when it does not like the token', async () => {
    const authorization = await startAuthorizationServer();
    const server = await startProtected(authorization, () => 'something-else');
    const outcome = await makeProber().probe(targetFor(server.url, 'oauth', OAUTH));
    expect(classify(outcome).reason).toBe('unauthenticated');
    expect(authorization.tokenRequests).toHaveLength(1);
  });

  it('do not outlast the deadline', async () => {
    const silent = await startHttp(() => undefined);
    cleanUps.push(silent.stop);
    const server = await startProtected(
      { issuer: silent.url, tokenRequests: [], answer: { status: 200, body: {} } },
      () => 'x',
    );
    const prober = makeProber();
    const outcome = await prober.probe({ ...targetFor(server.url, 'oauth', OAUTH), timeoutMs: 500 });
    expect(classify(outcome).reason).toBe('timeout_auth');
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });

  it('are not sent where the egress policy forbids it', async () => {
    const authorization = await startAuthorizationServer();
    const server = await startProtected(
      { ...authorization, issuer: authorization.issuer.replace('127.0.0.1', '127.0.0.2') },
      () => 'granted-token-1',
    );
    const egress = createEgressPolicy({ mode: 'strict', allow: ['127.0.0.1'] });
    const outcome = await makeProber({ egress }).probe(targetFor(server.url, 'oauth', OAUTH));
    expect(classify(outcome).reason).toBe('egress_denied');
    expect(authorization.tokenRequests).toEqual([]);
  });

  it('are not sent to another issuer than the registered one', async () => {
    const authorization = await startAuthorizationServer();
    const server = await startProtected(authorization, () => 'granted-token-1');
    const oauth = { ...OAUTH.oauth, issuer: 'https://elsewhere.example' };
    const outcome = await makeProber().probe(targetFor(server.url, 'oauth', { oauth }));
    expect(outcome.fault?.kind).toBe('oauth');
    expect(authorization.tokenRequests).toEqual([]);
  });

  it('go to an authorization server of another host only when it is registered', async () => {
    const authorization = await startAuthorizationServer();
    const server = await startProtected(authorization, () => 'granted-token-1');
    const url = server.url.replace('127.0.0.1', 'localhost');
    const { fault } = await makeProber().probe(targetFor(url, 'oauth', OAUTH));
    expect(fault).toMatchObject({ kind: 'oauth', message: expect.stringContaining(authorization.issuer) });
    expect(fault?.message).toContain('auth_config.oauth.issuer');
    expect(authorization.tokenRequests).toEqual([]);
    server.url = url;
    for (const registered of [
      { oauth: { ...OAUTH.oauth, issuer: authorization.issuer } },
      { ...OAUTH, custom: { issuer: authorization.issuer } },
    ]) {
      expect((await makeProber().probe(targetFor(url, 'oauth', registered))).fault).toBeNull();
    }
    expect(authorization.tokenRequests).toHaveLength(2);
  });

  it('work on a WebSocket', async () => {
    const authorization = await startAuthorizationServer();
    const web = await startHttp((request, response) => {
      const document = { resource: web.url, authorization_servers: [authorization.issuer] };
      if (request.url === '/.well-known/oauth-protected-resource')
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
      else response.writeHead(404).end();
    });
    cleanUps.push(web.stop);
    const sockets = new WebSocketServer({ noServer: true });
    web.server.on('upgrade', (request, socket, head) => {
      if (request.headers.authorization !== 'Bearer granted-token-1')
        return socket.end(
          'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 0\r\n\r\n',
        );
      sockets.handleUpgrade(request, socket, head, (webSocket) =>
        webSocket.on('message', (data) => {
          const { id, method } = JSON.parse(String(data)) as RpcRequest;
          const result = method === 'initialize' ? GREETING : { tools: [] };
          if (id !== undefined) webSocket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
        }),
      );
    });
    const target = targetFor(web.url.replace('http', 'ws'), 'oauth', OAUTH, { transportType: 'websocket' });
    const outcome = await makeProber().probe(target);
    expect(outcome.fault).toBeNull();
    expect(authorization.tokenRequests).toHaveLength(1);
  });
});

describe('the egress policy', () => {
  it('is asked before a byte is sent, for an address and for a name', async () => {
    const server = await startScripted();
    cleanUps.push(server.stop);
    const prober = makeProber({ egress: createEgressPolicy({ mode: 'strict', allow: [] }) });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]']) {
      const target = targetFor(server.url.replace('127.0.0.1', host), 'bearer', { bearerToken: 'secret' });
      const outcome = await prober.probe(target);
      expect(classify(outcome).reason, host).toBe('egress_denied');
    }
    expect(server.received).toEqual([]);
    expect(await server.connections()).toBe(0);
  });

  it('forbids WebSockets and event streams alike', async () => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(sockets, 'listening');
    cleanUps.push(() => sockets.close());
    let connections = 0;
    sockets.on('connection', () => {
      connections += 1;
    });
    const prober = makeProber({ egress: createEgressPolicy({ mode: 'strict', allow: [] }) });
    const { port } = sockets.address() as AddressInfo;
    for (const [host, transportType] of [
      ['ws://127.0.0.1', 'websocket'],
      ['ws://localhost', 'websocket'],
      ['http://localhost', 'sse'],
    ]) {
      const outcome = await prober.probe(
        targetFor(`${host}:${port}`, 'none', null, { transportType: String(transportType) }),
      );
      expect(classify(outcome).reason).toBe('egress_denied');
    }
    expect(connections).toBe(0);
  });

  it('lets through what is allowed by name', async () => {
    const server = await startScripted();
    cleanUps.push(server.stop);
    const prober = makeProber({ egress: createEgressPolicy({ mode: 'strict', allow: ['localhost'] }) });
    const outcome = await prober.probe(targetFor(server.url.replace('127.0.0.1', 'localhost'), 'none', null));
    expect(outcome.fault).toBeNull();
  });
});
