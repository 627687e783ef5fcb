// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what these files hold
import { expect, test } from 'vitest';
import { parseServersFile } from '../../../src/cli/parse-servers-file.ts';
import { parseServerImport } from '../../../src/core/import-servers.ts';

const one = (entry: unknown, inputs?: unknown) =>
  parseServerImport({ mcpServers: { it: entry }, inputs }, 'f.json');

test('Claude Desktop', () => {
  const { servers, rejected } = parseServersFile(
    `{
      "globalShortcut": "",
      "mcpServers": {
        "filesystem": {
          "command": "npx",
          "args": ["-y", "@modelcontextprotocol/server-filesystem", "/Users/me/My Documents", "it's"]
        },
        "github": {
          "command": "docker",
          "args": ["run", "-i", "--rm", "-e", "GITHUB_TOKEN", "ghcr.io/github/github-mcp-server"],
          "env": { "GITHUB_TOKEN": "ghp_x", "RETRIES": 3, "DEBUG": false, "NONE": null }
        }
      }
    }`,
    'claude_desktop_config.json',
  );
  expect(rejected).toEqual([]);
  expect(servers).toEqual([
    {
      name: 'filesystem',
      description: null,
      version: null,
      endpointUrl: `npx -y @modelcontextprotocol/server-filesystem '/Users/me/My Documents' 'it'\\''s'`,
      transportType: 'stdio',
      authType: 'none',
      authConfig: null,
      notes: [],
    },
    {
      name: 'github',
      description: null,
      version: null,
      endpointUrl: 'docker run -i --rm -e GITHUB_TOKEN ghcr.io/github/github-mcp-server',
      transportType: 'stdio',
      authType: 'custom',
      authConfig: { custom: { env: { GITHUB_TOKEN: 'ghp_x', RETRIES: '3', DEBUG: 'false' } } },
      notes: [
        'its env.RETRIES is a number, taken as the text that it makes: write it in quotes',
        'its env.DEBUG is a boolean, taken as the text that it makes: write it in quotes',
      ],
    },
  ]);
});

test('Cursor: URLs with a token, several headers, an API key, and a folder', () => {
  const { servers, rejected } = parseServerImport(
    {
      mcpServers: {
        token: { url: 'https://mcp.example.com/mcp', headers: { Authorization: 'Bearer abc.def' } },
        several: { url: 'https://mcp.example.com/', headers: { Authorization: 'Bearer a', 'X-Org': 'o' } },
        key: { url: 'https://mcp.example.com/sse', headers: { 'x-api-key': 'k' } },
        basic: { url: 'https://mcp.example.com/mcp', headers: { Authorization: 'Basic dTpw' } },
        local: { command: 'node', args: ['server.js'], cwd: '/srv/app' },
      },
    },
    'mcp.json',
  );
  expect(rejected).toEqual([]);
  expect(
    servers.map(({ name, transportType, authType, authConfig }) => [
      name,
      transportType,
      authType,
      authConfig,
    ]),
  ).toEqual([
    ['token', 'http', 'bearer', { bearerToken: 'abc.def' }],
    ['several', 'http', 'custom', { custom: { headers: { Authorization: 'Bearer a', 'X-Org': 'o' } } }],
    ['key', 'sse', 'api_key', { apiKey: 'k' }],
    ['basic', 'http', 'custom', { custom: { headers: { Authorization: 'Basic dTpw' } } }],
    ['local', 'stdio', 'custom', { custom: { cwd: '/srv/app' } }],
  ]);
});

test('VS Code, with comments, trailing commas, a byte-order mark and inputs', () => {
  const { servers, rejected } = parseServersFile(
    `\uFEFF{
      // asked for at the first start
      "inputs": [
        { "type": "promptString", "id": "pat", "description": "GitHub token", "password": true },
        { "type": "pickString", "id": "region", "options": ["eu", "us"], "default": "eu" },
      ],
      "servers": {
        "github": { "type": "http", "url": "https://api.example.com/mcp", "headers": { "Authorization": "Bearer \${input:pat}" } },
        "region": { "type": "stdio", "command": "npx", "args": ["-y", "srv", "--region", "\${input:region}"] },
        "unknown": { "command": "x", "env": { "A": "\${input:nobody}" } },
        "workspace": { "command": "uvx", "args": ["--directory", "\${workspaceFolder}"], },
        /* a file of variables */
        "file": { "type": "stdio", "command": "python", "args": ["s.py"], "envFile": ".env" },
        "events": { "type": "sse", "url": "http://localhost:3001/events" },
        "socket": { "type": "ws", "url": "wss://h.example/mcp" }
      },
    }`,
    '.vscode/mcp.json',
  );
  expect(servers.map(({ name, endpointUrl, transportType }) => [name, endpointUrl, transportType])).toEqual([
    ['region', 'npx -y srv --region eu', 'stdio'],
    ['file', 'python s.py', 'stdio'],
    ['events', 'http://localhost:3001/events', 'sse'],
    ['socket', 'wss://h.example/mcp', 'websocket'],
  ]);
  expect(servers[0]?.notes).toEqual(['the input "region" has its default value']);
  expect(servers[1]?.notes).toEqual([expect.stringContaining('envFile')]);
  expect(rejected).toEqual([
    { name: 'github', reason: 'it needs the input "pat" (GitHub token), whose value the file does not have' },
    { name: 'unknown', reason: 'it needs the input "nobody", whose value the file does not have' },
    { name: 'workspace', reason: 'it needs ${workspaceFolder}, which only the editor knows' },
  ]);
});

test('an editor’s settings keep it one level down', () => {
  const { servers } = parseServerImport({ mcp: { servers: { a: { command: 'a' } } } }, 'settings.json');
  expect(servers.map(({ name }) => name)).toEqual(['a']);
});

test.each([
  ['${env:TOKEN}', 'it needs the environment variable TOKEN, whose value the file does not have'],
  ['${TOKEN}', 'it needs the environment variable TOKEN, whose value the file does not have'],
  ['${userHome}/x', 'it needs ${userHome}, which only the editor knows'],
])('%s in a value: rejected', (text, reason) => {
  expect(one({ command: 'x', env: { A: text } }).rejected).toEqual([{ name: 'it', reason }]);
});

test('a variable with a default takes it, and says so', () => {
  const { servers } = one({ url: 'https://${HOST:-h.example}/mcp' });
  expect(servers[0]).toMatchObject({
    endpointUrl: 'https://h.example/mcp',
    notes: ['the environment variable HOST has its default value'],
  });
});

test.each([
  [null, 'it is not an object'],
  [[], 'it is not an object'],
  [{}, 'it has neither a command nor a url'],
  [{ command: '' }, 'it has neither a command nor a url'],
  [{ command: 'x', disabled: true }, 'it is switched off in the file'],
  [{ command: 'x', args: 'y' }, 'its args is not a list'],
  [{ command: 'x', args: [{}] }, 'its args has an item that is not a string'],
  [{ command: 'x', env: ['A=1'] }, 'its env is not an object'],
  [{ command: 'x', env: { A: {} } }, 'its env.A is not a string'],
  [{ command: 'x\0y' }, 'its command has a NUL character'],
  [{ command: 'x', type: 'carrier-pigeon' }, 'its transport "carrier-pigeon" is not known'],
  [{ command: 'x', type: 'constructor' }, 'its transport "constructor" is not known'],
  [{ command: 'x', type: 'http' }, 'its transport is http, and it has a command instead of a url'],
  [{ url: 'not a url' }, 'its URL is not a valid URL'],
  [{ url: 'ftp://h/' }, 'its URL has the scheme ftp'],
  [{ url: 'https://h/', type: 'ws' }, 'its URL has the scheme https, its transport is websocket'],
])('%j is rejected with its reason', (entry, reason) => {
  expect(one(entry)).toEqual({ servers: [], rejected: [{ name: 'it', reason }] });
});

test('a bad server does not keep the rest out', () => {
  const { servers, rejected } = parseServerImport({ mcpServers: { bad: {}, good: { command: 'x' } } }, 'f');
  expect(servers.map(({ name }) => name)).toEqual(['good']);
  expect(rejected.map(({ name }) => name)).toEqual(['bad']);
});

test.each([
  ['{"mcpServers": {', /it is not JSON: \w+ at line 1, column \d+/],
  ['', /it is not JSON/],
  ['[1, "x", null]', /it is not an object/],
  ['"text"', /it has no mcpServers/],
  ['{"name": "package", "version": "1.0.0"}', /it has no mcpServers/],
])('a file that is none: %s', (text, reason) => {
  const { servers, rejected } = parseServersFile(text, 'f.json');
  expect(servers).toEqual([]);
  expect(rejected[0]?.name).toMatch(/^f\.json/);
  expect(rejected[0]?.reason).toMatch(reason);
});

test('names that mean something to JavaScript are names', () => {
  const names = ['__proto__', 'constructor', 'toString', 'a b', ''];
  const members = names.map((name) => `${JSON.stringify(name)}: { "url": "https://h.example/mcp" }`);
  const { servers, rejected } = parseServersFile(`{ "mcpServers": { ${members.join()} } }`, 'f.json');
  expect([...servers, ...rejected].map(({ name }) => name).sort()).toEqual([...names].sort());
  expect(servers.map(({ name }) => name)).toContain('__proto__');
});

test('a number is told of, its value is not; one that no text can stand for is refused', () => {
  const { servers, rejected } = parseServersFile(
    '{ "mcpServers": { "a": { "command": "x", "args": ["-p", 1.10], "env": { "PIN": 4711 } }, "b": { "command": "x", "args": [1e999] } } }',
    'mcp.json',
  );
  expect(servers.map(({ endpointUrl, notes }) => [endpointUrl, notes])).toEqual([
    [
      'x -p 1.1',
      [
        'its env.PIN is a number, taken as the text that it makes: write it in quotes',
        'its args[1] is a number, taken as the text that it makes: write it in quotes',
      ],
    ],
  ]);
  expect(rejected).toEqual([{ name: 'b', reason: 'its args[0] is no number' }]);
});

test('a variable of its own environment is left to the server, and its value stays out of the command', () => {
  const args = ['mcp-remote', 'https://h.example/sse', '--header', 'Authorization:${AUTH_HEADER}'];
  const env = { AUTH_HEADER: 'Bearer tok' };
  expect(one({ command: 'npx', args, env })).toMatchObject({
    servers: [
      {
        endpointUrl: "npx mcp-remote https://h.example/sse --header 'Authorization:${AUTH_HEADER}'",
        authConfig: { custom: { env } },
        notes: [],
      },
    ],
    rejected: [],
  });
  expect(one({ command: 'npx', args, env: { AUTH_HEADER: '${AUTH_HEADER}' } }).rejected).toEqual([
    {
      name: 'it',
      reason: 'it needs the environment variable AUTH_HEADER, whose value the file does not have',
    },
  ]);
});
