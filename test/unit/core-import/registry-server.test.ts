import { expect, test } from 'vitest';
import { parseServerImport } from '../../../src/core/import-servers.ts';

const parse = (document: unknown) => parseServerImport(document, 'server.json');
const npm = (extra: object) => ({
  name: 'io.github.x/y',
  version: '1.0.0',
  packages: [
    { registryType: 'npm', identifier: '@x/y', version: '1.0.0', transport: { type: 'stdio' }, ...extra },
  ],
});
const command = (document: unknown) => {
  const { servers, rejected } = parse(document);
  return servers[0]?.endpointUrl ?? rejected[0]?.reason;
};

test('July 2025: names with underscores, version_detail, secrets that the file cannot have', () => {
  expect(
    parse({
      $schema: 'https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json',
      name: 'io.modelcontextprotocol/brave-search',
      description: 'Brave Search',
      status: 'active',
      version_detail: { version: '1.0.2' },
      packages: [
        {
          registry_type: 'npm',
          registry_base_url: 'https://registry.npmjs.org',
          identifier: '@modelcontextprotocol/server-brave-search',
          version: '1.0.2',
          environment_variables: [
            { name: 'BRAVE_API_KEY', is_required: true, is_secret: true },
            { name: 'LOG_LEVEL', default: 'info' },
            { name: 'OPTIONAL' },
          ],
        },
      ],
    }),
  ).toEqual({
    servers: [
      {
        name: 'io.modelcontextprotocol/brave-search',
        description: 'Brave Search',
        version: '1.0.2',
        endpointUrl: 'npx -y @modelcontextprotocol/server-brave-search@1.0.2',
        transportType: 'stdio',
        authType: 'custom',
        authConfig: { custom: { env: { LOG_LEVEL: 'info' } } },
        notes: ['it needs BRAVE_API_KEY: add it to auth_config.custom.env'],
      },
    ],
    rejected: [],
  });
});

test('December 2025: remotes and packages side by side, in the registry’s wrapper', () => {
  const { servers, rejected } = parse({
    server: {
      name: 'com.example/hybrid',
      description: 'Both',
      version: '2.1.0',
      remotes: [
        {
          type: 'streamable-http',
          url: 'https://h.example/mcp',
          headers: [{ name: 'X-Region', default: 'eu' }],
        },
        {
          type: 'sse',
          url: 'https://h.example/sse',
          headers: [{ name: 'X-API-Key', isRequired: true, isSecret: true }],
        },
      ],
      packages: [
        {
          registryType: 'npm',
          identifier: '@example/hybrid',
          version: '2.1.0',
          transport: { type: 'stdio' },
        },
        { registryType: 'mcpb', identifier: 'https://h.example/x.mcpb', transport: { type: 'stdio' } },
        {
          registryType: 'pypi',
          identifier: 'hybrid',
          version: '2.1.0',
          transport: { type: 'streamable-http', url: 'http://localhost:{port}/mcp' },
        },
      ],
    },
    _meta: { 'io.modelcontextprotocol.registry/official': { status: 'active', isLatest: true } },
  });
  expect(servers).toEqual([
    expect.objectContaining({
      name: 'com.example/hybrid (streamable-http)',
      endpointUrl: 'https://h.example/mcp',
      transportType: 'http',
      authType: 'custom',
      authConfig: { custom: { headers: { 'X-Region': 'eu' } } },
      version: '2.1.0',
      notes: [],
    }),
    expect.objectContaining({
      name: 'com.example/hybrid (sse)',
      transportType: 'sse',
      authType: 'none',
      authConfig: null,
      notes: ['it needs the header X-API-Key: add it to auth_config'],
    }),
    expect.objectContaining({
      name: 'com.example/hybrid (npm)',
      endpointUrl: 'npx -y @example/hybrid@2.1.0',
      authType: 'none',
    }),
  ]);
  expect(rejected).toEqual([
    {
      name: 'com.example/hybrid (mcpb)',
      reason: 'packages of the kind mcpb cannot be started by a command',
    },
    {
      name: 'com.example/hybrid (pypi)',
      reason: 'its package listens on streamable-http once somebody has started it: register its URL',
    },
  ]);
});

test('a list, as the registry’s API answers', () => {
  const official = (meta: object) => ({ 'io.modelcontextprotocol.registry/official': meta });
  const remote = (name: string) => ({ name, version: '1', remotes: [{ type: 'sse', url: 'https://h/sse' }] });
  const { servers, rejected } = parse({
    servers: [
      { server: remote('current'), _meta: official({ status: 'active', isLatest: true }) },
      { server: remote('older'), _meta: official({ status: 'active', isLatest: false }) },
      { server: remote('gone'), _meta: official({ status: 'deleted', isLatest: true }) },
      { server: remote('tired'), _meta: official({ status: 'deprecated' }) },
      remote('bare'),
      { server: { name: 'empty' } },
      'text',
    ],
    metadata: { count: 7 },
  });
  expect(servers.map(({ name, notes }) => [name, notes])).toEqual([
    ['current', []],
    ['tired', ['its authors call it deprecated']],
    ['bare', []],
  ]);
  expect(rejected).toEqual([
    { name: 'older', reason: 'the registry has a newer version of it' },
    { name: 'gone', reason: 'the registry has deleted it' },
    { name: 'empty', reason: 'it has neither remotes nor packages' },
    { name: 'server.json #7', reason: 'it is not an object' },
  ]);
});

test.each([
  [{ runtimeHint: 'npx', runtimeArguments: [{ type: 'positional', value: '-y' }] }, 'npx -y @x/y@1.0.0'],
  [{ runtimeHint: 'bunx' }, 'bunx @x/y@1.0.0'],
  [{ version: undefined }, 'npx -y @x/y'],
  [{ registryType: 'pypi', identifier: 'weather' }, 'uvx weather@1.0.0'],
  [{ registryType: 'pypi', identifier: 'weather', runtimeHint: 'pipx' }, 'pipx run weather==1.0.0'],
  [
    {
      registryType: 'nuget',
      identifier: 'Sample.Server',
      packageArguments: [
        { type: 'positional', value: 'mcp' },
        { type: 'positional', value: 'start' },
      ],
    },
    'dnx Sample.Server@1.0.0 --yes -- mcp start',
  ],
  [
    { registryType: 'oci', identifier: 'ghcr.io/o/r:v2', version: undefined },
    'docker run -i --rm ghcr.io/o/r:v2',
  ],
  [
    { registryType: 'oci', registryBaseUrl: 'https://docker.io', identifier: 'mcp/fs' },
    'docker run -i --rm mcp/fs:1.0.0',
  ],
  [
    { registryType: 'oci', registryBaseUrl: 'https://quay.io/', identifier: 'o/r', runtimeHint: 'podman' },
    'podman run -i --rm quay.io/o/r:1.0.0',
  ],
  [
    {
      registryType: 'oci',
      identifier: 'localhost:5000/r@sha256:ab',
      environmentVariables: [{ name: 'MODE', value: 'x' }],
      runtimeArguments: [
        { type: 'positional', value: 'run' },
        { type: 'named', name: '--network', value: 'host' },
        { type: 'named', name: '--init' },
      ],
    },
    'docker run -i --rm -e MODE --network host --init localhost:5000/r@sha256:ab',
  ],
  [
    {
      packageArguments: [
        { type: 'named', name: '--mode', default: 'local', choices: ['local', 'proxy'] },
        { type: 'named', name: '--port', format: 'number' },
        { type: 'named', name: '--verbose' },
        { type: 'positional', valueHint: 'dir', default: '/tmp/a b' },
        { type: 'named', name: '--dsn', value: 'db={db};x={y}', variables: { db: { default: 'main' } } },
      ],
    },
    `npx -y @x/y@1.0.0 --mode local '/tmp/a b' --dsn 'db=main;x={y}'`,
  ],
])('a package %j becomes %s', (extra, expected) => {
  expect(command(npm(extra))).toBe(expected);
});

test.each([
  [
    { packageArguments: [{ type: 'positional', valueHint: 'database', isRequired: true }] },
    'it needs the argument database, which the file does not have',
  ],
  [
    {
      runtimeArguments: [
        { type: 'named', name: '-e', value: 'T={token}', variables: { token: { isRequired: true } } },
      ],
    },
    'it needs the argument -e (token), which the file does not have',
  ],
  [{ runtimeHint: 'node' }, 'how to run a package of the kind npm with node is not known'],
  [{ registryType: 'constructor' }, 'packages of the kind constructor cannot be started by a command'],
  [{ identifier: '--evil' }, 'its package identifier is not valid'],
  [{ identifier: 'a b' }, 'its package identifier is not valid'],
  [{ identifier: undefined }, 'its package has no identifier'],
])('a package %j is rejected', (extra, reason) => {
  const { servers, rejected } = parse(npm(extra));
  expect(servers).toEqual([]);
  expect(rejected).toEqual([{ name: 'io.github.x/y', reason }]);
});

const remote = (extra: object) => ({
  name: 'r',
  version: '1',
  remotes: [{ type: 'sse', url: 'https://h/', ...extra }],
});

test('a remote with a token, and one with variables in its address', () => {
  expect(
    parse(remote({ headers: [{ name: 'Authorization', value: 'Bearer t0k' }] })).servers[0],
  ).toMatchObject({
    authType: 'bearer',
    authConfig: { bearerToken: 't0k' },
  });
  const tenant = { url: 'https://{tenant}.h.example/', variables: { tenant: { default: 'acme' } } };
  expect(parse(remote(tenant)).servers[0]?.endpointUrl).toBe('https://acme.h.example/');
});

test.each([
  [
    { url: 'https://{tenant}.h/', variables: { tenant: { isRequired: true } } },
    'its URL needs tenant, which the file does not have',
  ],
  [{ type: 'smoke-signals' }, 'its transport "smoke-signals" is not known'],
  [{ url: undefined }, 'it has no url'],
  [{ url: 'file:///etc/passwd' }, 'its URL has the scheme file'],
])('a remote %j is rejected', (extra, reason) => {
  expect(parse(remote(extra))).toEqual({ servers: [], rejected: [{ name: 'r', reason }] });
});
