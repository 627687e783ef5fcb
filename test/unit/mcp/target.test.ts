import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegistryServer } from '../../../src/core/target.ts';
import { hostKeyOf, targetOfServer, targetOfText } from '../../../src/mcp/target.ts';

const row = (changes: Partial<Record<keyof RegistryServer, unknown>> = {}): RegistryServer =>
  ({
    id: 'id-1',
    name: 'One',
    endpointUrl: 'https://example.com/mcp',
    transportType: 'http',
    authType: 'none',
    authConfig: null,
    settings: {},
    ...changes,
  }) as RegistryServer;
const target = (changes: Partial<Record<keyof RegistryServer, unknown>> = {}) =>
  targetOfServer(row(changes), { timeoutMs: 10_000 });

describe('targetOfServer', () => {
  it('makes a target of a plain row', () => {
    expect(target()).toEqual({
      id: 'id-1',
      name: 'One',
      endpoint: { transport: 'http', url: new URL('https://example.com/mcp') },
      credentials: { kind: 'none' },
      era: 'auto',
      timeoutMs: 10_000,
    });
  });

  it.each([
    ['no URL', { endpointUrl: 'not a url' }, 'endpoint'],
    ['an empty endpoint', { endpointUrl: '' }, 'endpoint'],
    ['a scheme of another transport', { endpointUrl: 'ws://a/b' }, 'endpoint'],
    ['a file', { endpointUrl: 'file:///etc/passwd' }, 'endpoint'],
    ['a command for http', { endpointUrl: 'npx server' }, 'endpoint'],
    ['an endpoint that is null', { endpointUrl: null }, 'endpoint'],
    ['an endpoint beyond measure', { endpointUrl: `http://a/${'x'.repeat(10_000)}` }, 'endpoint'],
    [
      'a host name that DNS cannot hold',
      { endpointUrl: `http://${'a'.repeat(60)}.${'b'.repeat(200)}.test/` },
      'endpoint',
    ],
    ['an unknown transport', { transportType: 'carrier-pigeon' }, 'transport'],
    ['no transport', { transportType: null }, 'transport'],
    ['an unknown auth_type', { authType: 'kerberos', authConfig: {} }, 'auth'],
    ['a bearer without a token', { authType: 'bearer', authConfig: {} }, 'auth'],
    ['a bearer with an auth_config of text', { authType: 'bearer', authConfig: 'secret' }, 'auth'],
    [
      'a bearer with a token of two lines',
      { authType: 'bearer', authConfig: { bearerToken: 'a\r\nx: y' } },
      'auth',
    ],
    ['an api_key that is a number', { authType: 'api_key', authConfig: { apiKey: 7 } }, 'auth'],
    [
      'an api_key with a header name of two words',
      { authType: 'api_key', authConfig: { apiKey: 'k', custom: { headerName: 'X Y' } } },
      'auth',
    ],
    ['an oauth without a secret', { authType: 'oauth', authConfig: { oauth: { clientId: 'x' } } }, 'auth'],
    ['custom headers in a list', { authType: 'custom', authConfig: { custom: { headers: ['a'] } } }, 'auth'],
    [
      'a custom header of the protocol',
      { authType: 'custom', authConfig: { custom: { headers: { 'Mcp-Session-Id': '1' } } } },
      'auth',
    ],
    [
      'a custom header with an object',
      { authType: 'custom', authConfig: { custom: { headers: { a: {} } } } },
      'auth',
    ],
    ['a pipe', { transportType: 'stdio', endpointUrl: 'a | b' }, 'endpoint'],
    ['an empty command', { transportType: 'stdio', endpointUrl: '  ' }, 'endpoint'],
    [
      'an env that is a list',
      { transportType: 'stdio', endpointUrl: 'a', authConfig: { custom: { env: ['A=b'] } } },
      'auth',
    ],
    [
      'a cwd that is a number',
      { transportType: 'stdio', endpointUrl: 'a', authConfig: { custom: { cwd: 1 } } },
      'auth',
    ],
  ])('calls %s bad', (_what, changes, field) => {
    expect(target(changes)).toMatchObject({ kind: 'config', field, message: expect.any(String) });
  });

  it('never throws, whatever the row holds', () => {
    fc.assert(
      fc.property(
        fc.record({
          endpointUrl: fc.oneof(fc.string(), fc.webUrl(), fc.constant(null)),
          transportType: fc.oneof(fc.constantFrom('http', 'sse', 'websocket', 'stdio'), fc.anything()),
          authType: fc.oneof(fc.constantFrom('none', 'bearer', 'api_key', 'oauth', 'custom'), fc.anything()),
          authConfig: fc.oneof(
            fc.anything(),
            fc.record({
              bearerToken: fc.anything(),
              apiKey: fc.anything(),
              oauth: fc.anything(),
              custom: fc.anything(),
            }),
            fc.record({
              custom: fc.record({
                headers: fc.anything(),
                env: fc.anything(),
                cwd: fc.anything(),
                headerName: fc.anything(),
              }),
            }),
          ),
          settings: fc.oneof(fc.anything(), fc.record({ timeout: fc.anything() })),
          era: fc.anything(),
        }),
        (changes) => {
          const made = target(changes);
          if ('kind' in made) expect(made.kind).toBe('config');
          else expect(made.timeoutMs).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('never says a secret in a message', () => {
    for (const authType of ['bearer', 'api_key', 'custom', 'oauth', 'nonsense']) {
      const authConfig = {
        bearerToken: 'SECRET\n',
        apiKey: 'SECRET\u0000',
        oauth: { clientSecret: 'SECRET' },
        custom: { headers: { x: 'SECRET\u0001' } },
      };
      expect(
        JSON.stringify(target({ authType, authConfig: { ...authConfig, bearerToken: 'SECRET\u0000' } })),
      ).not.toContain('SECRET');
    }
  });

  it('forgives what pasting leaves around a secret', () => {
    expect(target({ authType: 'bearer', authConfig: { bearerToken: ' Bearer abc\n' } })).toMatchObject({
      credentials: { kind: 'headers', headers: { authorization: 'Bearer abc' } },
    });
  });

  it('reads the command of a stdio server, its folder and its variables', () => {
    const authConfig = { custom: { env: { TOKEN: 'abc', PORT: 1 }, cwd: '/srv' } };
    expect(
      target({ transportType: 'stdio', endpointUrl: `node 'my server.js' --x`, authConfig }),
    ).toMatchObject({
      endpoint: {
        transport: 'stdio',
        command: 'node',
        args: ['my server.js', '--x'],
        env: { TOKEN: 'abc', PORT: '1' },
        cwd: '/srv',
      },
    });
  });

  it('takes the deadline from settings.timeout, when there is a sensible one', () => {
    for (const [timeout, timeoutMs] of [
      [2_500, 2_500],
      [0, 10_000],
      [-5, 10_000],
      ['9', 10_000],
      [1, 100],
      [1e12, 60_000],
      [null, 10_000],
    ]) {
      expect(target({ settings: { timeout } })).toMatchObject({ timeoutMs });
    }
    expect(target({ settings: null })).toMatchObject({ timeoutMs: 10_000 });
    expect(targetOfText(['http://a/'], { timeoutMs: 1e12 })).toMatchObject({ timeoutMs: 600_000 });
  });

  it('pins the era that was negotiated before', () => {
    expect(target({ era: 'stateless' })).toMatchObject({ era: 'stateless' });
    expect(target({ era: null })).toMatchObject({ era: 'auto' });
  });

  it('takes a WebSocket with a web scheme for what it means', () => {
    const made = target({ transportType: 'websocket', endpointUrl: 'https://a.example/ws' });
    expect('endpoint' in made && 'url' in made.endpoint && made.endpoint.url.href).toBe('wss://a.example/ws');
  });
});

describe('targetOfText', () => {
  const options = { timeoutMs: 5_000 };
  it.each([
    [['http://a/mcp'], {}, { endpoint: { transport: 'http' } }],
    [['https://a/sse'], { transport: 'sse' as const }, { endpoint: { transport: 'sse' } }],
    [['wss://a/'], {}, { endpoint: { transport: 'websocket' } }],
    [
      ['node', 'a b.js', '$x'],
      {},
      { endpoint: { transport: 'stdio', command: 'node', args: ['a b.js', '$x'] } },
    ],
    [['node server.js'], {}, { endpoint: { transport: 'stdio', command: 'node', args: ['server.js'] } }],
    [
      ['http://a/'],
      { bearer: 't', headers: { 'X-A': 'b' } },
      { credentials: { headers: { authorization: 'Bearer t', 'x-a': 'b' } } },
    ],
    [['http://a/'], { era: 'stateless' as const }, { era: 'stateless', timeoutMs: 5_000 }],
    [[], {}, { kind: 'config', field: 'endpoint' }],
    [['ftp://a/'], {}, { kind: 'config', field: 'endpoint' }],
    [['node'], { transport: 'http' as const }, { kind: 'config', field: 'endpoint' }],
    [['http://a/'], { headers: { 'bad name': 'x' } }, { kind: 'config', field: 'auth' }],
  ])('reads %j', (text, more, expected) => {
    expect(targetOfText(text, { ...options, ...more })).toMatchObject(expected);
  });
});

describe('hostKeyOf', () => {
  it.each([
    ['http', 'HTTP://Example.COM/a', 'example.com'],
    ['http', 'https://example.com./b?c', 'example.com'],
    ['websocket', 'wss://example.com:8443', 'example.com'],
    ['http', 'http://10.0.0.1:8080/', '10.0.0.1'],
    ['sse', 'http://[::1]:9/', '[::1]:9'],
    ['http', 'http://127.0.0.1/', '127.0.0.1:80'],
    ['http', 'http://LOCALHOST:3000/', 'localhost:3000'],
    ['http', `http://${'h'.repeat(5_000)}/`, 'server 7'],
    ['stdio', 'node server.js', 'stdio'],
    ['http', 'nonsense', 'server 7'],
  ])('of %s %s is %s', (transportType, endpointUrl, key) => {
    expect(hostKeyOf({ id: '7', endpointUrl, transportType })).toBe(key);
  });

  it('is never longer than an index takes', () => {
    const hosts = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.string({ maxLength: 3_000 }).map((text) => `x://${text}/`),
    );
    fc.assert(
      fc.property(hosts, fc.string({ maxLength: 400 }), (endpointUrl, id) => {
        expect(hostKeyOf({ id, endpointUrl, transportType: 'http' }).length).toBeLessThanOrEqual(255);
      }),
    );
  });
});
