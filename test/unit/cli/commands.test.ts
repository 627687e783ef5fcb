import { expect, test } from 'vitest';
import type {
  Actions,
  EnqueueCommand,
  NewServer,
  ServerDetail,
  VerdictRow,
} from '../../../src/cli/actions.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { run } from './run.ts';

const row = (id: string, extra: Partial<VerdictRow> = {}): VerdictRow => ({
  id,
  name: `Server ${id}`,
  transport: 'http',
  verdict: 'up',
  reason: 'ok',
  message: 'answers as it should',
  responseMs: 12.34,
  ...extra,
});
const down = row('b', {
  verdict: 'down',
  reason: 'refused',
  message: 'connect ECONNREFUSED',
  responseMs: null,
});

const detail: ServerDetail = {
  ...row('a'),
  endpointUrl: 'https://u:pw@h.example/mcp?token=t0p',
  tenantId: 'acme',
  tags: ['x', 'y'],
  status: 'active',
  checkedAt: '2026-01-01T23:59:30Z',
  description: 'It is one',
  version: '1.0.0',
  authType: 'bearer',
  intervalSeconds: 300,
  nextProbeAt: '2026-01-02T00:04:30Z',
  uptimePercent: 99.5,
  era: 'handshake',
  protocolVersion: '2025-11-25',
  inventory: { tools: 3, resources: 0, resourceTemplates: 0, prompts: 1 },
  recent: [{ at: '2026-01-01T23:59:30Z', status: 'healthy', reason: 'ok', responseMs: 12.34 }],
};

const tree: [string[], string][] = [
  [['daemon'], '--no-demo'],
  [['probe'], '--bearer env:MCP_TOKEN'],
  [['enqueue'], '--tag production --wait'],
  [['servers'], 'import'],
  [['servers', 'add'], '--bearer env:MCP_TOKEN'],
  [['servers', 'list'], '--verdict down'],
  [['servers', 'show'], 'servers show demo'],
  [['servers', 'remove'], 'servers remove demo'],
  [['servers', 'import'], '.vscode/mcp.json'],
  [['servers', 'monitor'], '--file monitor.json'],
  [['replay'], 'mcp-vitals replay --server search --since 7d'],
  ...['generate', 'migrate', 'push', 'studio', 'seed', 'reset', 'reset-and-seed', 'introspect', 'adopt'].map(
    (name): [string[], string] => [['db', name], `mcp-vitals db ${name}`],
  ),
  [['alerts', 'list'], 'alerts list --all --json'],
  [['alerts', 'check'], 'alerts check alerts.yaml'],
  [['alerts', 'test'], 'alerts test ops'],
  [['policy', 'check'], 'policy check policy.yaml'],
  [['demo'], 'mcp-vitals demo --json'],
  [['drift'], '--since 7d'],
  [['diff'], 'mcp-vitals diff demo-everything-http 2d now'],
  [['pin'], '--accept v2:'],
  [['uptime'], 'mcp-vitals uptime'],
  [['history'], 'mcp-vitals history'],
  [['rollup'], 'mcp-vitals rollup --from'],
  [['db', 'partition'], 'mcp-vitals db partition api_usage'],
  [['config', 'list'], 'mcp-vitals config list'],
  [['config', 'set'], 'mcp-vitals config set'],
  [['maintenance', 'add'], 'mcp-vitals maintenance add'],
  [['secrets', 'seal'], 'mcp-vitals secrets seal'],
  [['egress', 'check'], 'mcp-vitals egress check'],
];
test.each(tree)('%j --help has an example', async (path, example) => {
  const { code, out, err } = await run([...path, '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(`Usage: mcp-vitals ${path.join(' ')}`);
  expect(out).toContain(example);
});

test.each(tree)('%j --help breaks no sentence but where the terminal ends', async (path) => {
  const { out } = await run([...path, '--help'], { isTTY: true, columns: 10_000 });
  const description = out.split('\n\n')[1] ?? '';
  for (const line of description.split('\n')) expect(line).toMatch(/[.:]$/);
});

test('--help names every command, --version the version', async () => {
  const { code, out } = await run(['--help']);
  expect(code).toBe(0);
  for (const name of ['daemon', 'probe', 'enqueue', 'servers', 'replay', 'db', 'demo'])
    expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  expect(await run(['--version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' });
});

test.each([
  [[], /Usage: mcp-vitals/],
  [['db'], /Usage: mcp-vitals db/],
  [['prob'], /unknown command 'prob'\n\(Did you mean probe\?\)/],
  [['db', 'drop'], /unknown command 'drop'/],
  [['servers', 'show'], /missing required argument 'id'/],
  [['servers', 'list', '--verdict', 'fine'], /Allowed choices are up, degraded/],
  [['daemon', 'now'], /too many arguments/],
  [['enqueue'], /say which: ids, --all, --tag or --tenant/],
  [['enqueue', 'a', '--all'], /exclude each other/],
  [['db', 'studio', '--port', '0'], /whole number from 1 to 65535/],
])('%j is wrong usage', async (argv, message) => {
  const { code, out, err } = await run(argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
});

test('errors: a configuration is 2, anything else 1, and neither shows a password', async () => {
  const failing = (error: Error) => ({ actions: { dbMigrate: () => Promise.reject(error) } });
  const config = new ConfigError([{ name: 'VITALS_HTTP_PORT', found: '"x"', allowed: 'a number' }]);
  expect(await run(['db', 'migrate'], failing(config))).toMatchObject({
    code: 2,
    err: expect.stringContaining('VITALS_HTTP_PORT is "x"; allowed: a number'),
  });
  expect(await run(['db', 'migrate'], failing(new Error('no postgres://u:pw@h/d')))).toEqual({
    code: 1,
    out: '',
    err: 'mcp-vitals: no postgres://h/d\n',
  });
});

test('enqueue', async () => {
  const asked: EnqueueCommand[] = [];
  const enqueue: Actions['enqueue'] = async (request) => {
    asked.push(request);
    return { queued: [{ id: 'a', name: 'A' }], unknown: [], verdicts: null, unfinished: [] };
  };
  expect(await run(['enqueue', 'a', 'a'], { actions: { enqueue } })).toEqual({
    code: 0,
    out: '1 probe queued\n',
    err: '',
  });
  await run(['enqueue', '--all'], { actions: { enqueue } });
  await run(['enqueue', '--tag', 't', '--wait'], { actions: { enqueue } });
  await run(['enqueue', '--tenant', 'acme'], { actions: { enqueue } });
  expect(asked.map(({ selection, wait }) => [selection, wait])).toEqual([
    [{ ids: ['a'] }, false],
    [{ all: true }, false],
    [{ tag: 't' }, true],
    [{ tenantId: 'acme' }, false],
  ]);
});

test.each([
  [['--all'], 'no server is registered'],
  [['--tag', 'none'], 'no server has the tag none'],
  [['--tenant', 'none', '--wait'], 'no server belongs to the tenant none'],
])('enqueue %j: nobody is meant', async (argv, message) => {
  const enqueue: Actions['enqueue'] = async ({ wait }) => ({
    queued: [],
    unknown: [],
    verdicts: wait ? [] : null,
    unfinished: [],
  });
  expect(await run(['enqueue', ...argv], { actions: { enqueue } })).toEqual({
    code: 1,
    out: '0 probes queued\n',
    err: `mcp-vitals: ${message}\n`,
  });
});

const waiting: Actions['enqueue'] = async ({ onProgress }) => {
  for (let done = 0; done <= 8; done += 1) onProgress({ done, total: 8 });
  return {
    queued: [],
    unknown: ['ghost'],
    verdicts: [row('a'), down],
    unfinished: [{ id: 'c', name: 'Server c' }],
  };
};

test('enqueue --wait: progress, verdicts, and what is missing', async () => {
  const { code, out, err } = await run(['enqueue', '--all', '--wait'], { actions: { enqueue: waiting } });
  expect(code).toBe(1);
  expect(out).toBe(`VERDICT  NAME      TRANSPORT  REASON      TIME  MESSAGE
up       Server a  http       ok       12.3 ms
down     Server b  http       refused           connect ECONNREFUSED

2 servers, 1 up, 1 down
`);
  expect(err).toBe(
    `probing 0/8
probing 2/8
probing 4/8
probing 6/8
probing 8/8
mcp-vitals: no server has the id ghost
mcp-vitals: 1 probe not finished: Server c
`,
  );
});

test('on a terminal the progress is one line that goes away', async () => {
  const { err } = await run(['enqueue', '--all', '--wait', '--json'], {
    actions: { enqueue: waiting },
    isTTY: true,
  });
  const lastBar = err.lastIndexOf('████████████████████████ 8/8');
  expect(lastBar).toBeGreaterThan(0);
  expect(err.slice(0, lastBar)).not.toContain('\n');
  expect(err.slice(lastBar)).toContain('\r\u001b[2K');
});

test('daemon: the demo flag, and a report of what happens', async () => {
  const demos: (boolean | undefined)[] = [];
  const runDaemon: Actions['runDaemon'] = async ({ demo, report }) => {
    demos.push(demo);
    report.step('starting the database');
    report.step('probing', { done: 1, total: 2 });
    report.note('without the demo packages');
    report.verdicts([row('a')]);
    report.ready([
      { label: 'metrics', url: 'http://127.0.0.1:9464/metrics' },
      { label: 'health', url: 'http://127.0.0.1:9464/readyz' },
    ]);
  };
  const { code, out, err } = await run(['daemon'], { actions: { runDaemon } });
  await run(['daemon', '--no-demo'], { actions: { runDaemon } });
  await run(['daemon', '--demo'], { actions: { runDaemon } });
  expect(demos).toEqual([undefined, false, true]);
  expect(code).toBe(0);
  expect(err).toBe('starting the database …\nprobing 1/2\n');
  expect(out).toContain('1 server, 1 up');
  expect(out).toContain('metrics  http://127.0.0.1:9464/metrics\nhealth   http://127.0.0.1:9464/readyz\n');
});

test('demo: where the servers are, or what is not installed', async () => {
  const server = {
    id: 'demo-a',
    name: 'A',
    transportType: 'http' as const,
    endpointUrl: 'http://127.0.0.1:1/mcp',
    expected: 'up' as const,
  };
  const runDemo: Actions['runDemo'] = async ({ report }) => report.started([server]);
  expect((await run(['demo'], { actions: { runDemo } })).out).toContain(
    'demo-a  up        http       http://127.0.0.1:1/mcp',
  );
  expect(JSON.parse((await run(['demo', '--json'], { actions: { runDemo } })).out)).toEqual([server]);
  const without: Actions['runDemo'] = async ({ report }) => report.missing(['supergateway']);
  expect(await run(['demo'], { actions: { runDemo: without } })).toMatchObject({
    code: 1,
    err: expect.stringContaining('supergateway'),
  });
});

test('servers add: a URL with a token, a command with its environment', async () => {
  const added: NewServer[] = [];
  const addServers: Actions['addServers'] = async (servers) => {
    added.push(...servers);
    return { added: servers.map(({ name }) => ({ id: `id-${name}`, name })), skipped: [] };
  };
  const world = { actions: { addServers }, environment: { TOKEN: 't0ken' } };
  const first = await run(
    [
      'servers',
      'add',
      'https://h/mcp',
      '--name',
      'A',
      '--bearer',
      'env:TOKEN',
      '--tag',
      'x',
      '--tag',
      'y',
      '--interval',
      '60',
      '--tenant',
      'acme',
      '--id',
      'a',
    ],
    world,
  );
  expect(first).toEqual({ code: 0, out: 'added A as id-A\n', err: '' });
  await run(
    ['servers', 'add', '--name', 'B', '--env', 'K=a=b', '--cwd', '/srv', '--', 'node', 'my server.js'],
    world,
  );
  await run(['servers', 'add', 'wss://h/', '--name', 'C'], world);
  expect(added).toEqual([
    {
      id: 'a',
      name: 'A',
      description: null,
      version: null,
      endpointUrl: 'https://h/mcp',
      transportType: 'http',
      authType: 'bearer',
      authConfig: { bearerToken: 't0ken' },
      tags: ['x', 'y'],
      tenantId: 'acme',
      intervalSeconds: 60,
    },
    expect.objectContaining({
      endpointUrl: "node 'my server.js'",
      transportType: 'stdio',
      authType: 'custom',
      authConfig: { custom: { env: { K: 'a=b' }, cwd: '/srv' } },
    }),
    expect.objectContaining({ transportType: 'websocket', authType: 'none', authConfig: null }),
  ]);
});

test('servers list and show: no credentials, no control characters', async () => {
  const listServers: Actions['listServers'] = async () => [{ ...detail, name: 'evil\u001b[2J' }];
  const showServer: Actions['showServer'] = async (id) => (id === 'a' ? detail : null);
  const world = { actions: { listServers, showServer } };
  const list = await run(['servers', 'list'], world);
  expect(list.out).toContain('VERDICT');
  expect(list.out).toContain('evil\\u001b[2J');
  expect(list.out).toContain('30 s ago');
  const show = await run(['servers', 'show', 'a'], world);
  expect(show.out).toContain('inventory    tools 3, resources 0, resourceTemplates 0, prompts 1');
  for (const argv of [['list', '--json'], ['show', 'a', '--json'], ['list'], ['show', 'a']])
    expect((await run(['servers', ...argv], world)).out).not.toMatch(/pw@|t0p/);
  expect(JSON.parse((await run(['servers', 'show', 'a', '--json'], world)).out)).toMatchObject({
    id: 'a',
    uptimePercent: 99.5,
  });
  expect(await run(['servers', 'show', 'ghost'], world)).toEqual({
    code: 1,
    out: '',
    err: 'mcp-vitals: no server has the id or name ghost\n',
  });
});

test('servers list passes its filter on', async () => {
  const filters: unknown[] = [];
  const listServers: Actions['listServers'] = async (filter) => {
    filters.push(filter);
    return [];
  };
  expect((await run(['servers', 'list'], { actions: { listServers } })).out).toBe('no servers\n');
  await run(['servers', 'list', '--tag', 't', '--tenant', 'a', '--verdict', 'down'], {
    actions: { listServers },
  });
  expect(filters).toEqual([{}, { tag: 't', tenantId: 'a', verdict: 'down' }]);
});

test('servers remove', async () => {
  const removeServers: Actions['removeServers'] = async () => ({ removed: ['a'], unknown: ['ghost'] });
  expect(await run(['servers', 'remove', 'a', 'ghost'], { actions: { removeServers } })).toEqual({
    code: 1,
    out: 'removed a\n',
    err: 'mcp-vitals: no server has the id ghost\n',
  });
});

test('servers import: what cannot go in is named, the rest goes in', async () => {
  const added: NewServer[] = [];
  const addServers: Actions['addServers'] = async (servers) => {
    added.push(...servers);
    return {
      added: [{ id: 'new', name: 'good' }],
      skipped: [{ name: 'twice', reason: 'it is registered already' }],
    };
  };
  const files = {
    'x/mcp.json': `{ "mcpServers": { // mine
      "good": { "command": "node", "args": ["s.js"], "envFile": ".env" },
      "twice": { "url": "https://h/mcp" },
      "bad": {}, } }`,
  };
  const { code, out, err } = await run(['servers', 'import', 'x/mcp.json', '--tag', 't'], {
    actions: { addServers },
    files,
  });
  expect(code).toBe(1);
  expect(added.map(({ name, tags }) => [name, tags])).toEqual([
    ['good', ['t']],
    ['twice', ['t']],
  ]);
  expect(added[0]).not.toHaveProperty('notes');
  expect(out).toMatch(/^added good as new\nnote: good: its envFile is not read.*\n1 imported, 2 not\n$/);
  expect(err).toBe(
    'mcp-vitals: not added: bad: it has neither a command nor a url\nmcp-vitals: not added: twice: it is registered already\n',
  );
  const json = await run(['servers', 'import', 'x/mcp.json', '--json'], { actions: { addServers }, files });
  expect(JSON.parse(json.out)).toMatchObject({
    added: [{ id: 'new' }],
    skipped: [{ name: 'bad' }, { name: 'twice' }],
  });
});

test('servers import: a file that is not there', async () => {
  expect(await run(['servers', 'import', 'nowhere.json'])).toEqual({
    code: 1,
    out: '',
    err: 'mcp-vitals: nowhere.json: there is no such file\n',
  });
});

test('db commands call their actions', async () => {
  const called: unknown[] = [];
  const note = (name: string) => async (options?: unknown) => {
    called.push(options === undefined ? name : [name, options]);
    return { summary: `${name} done`, details: ['more'] };
  };
  const actions: Partial<Actions> = {
    dbGenerate: note('generate'),
    dbMigrate: note('migrate'),
    dbPush: note('push'),
    dbStudio: note('studio'),
    dbSeed: note('seed'),
    dbReset: note('reset'),
    dbResetAndSeed: note('reset-and-seed'),
    dbIntrospect: note('introspect'),
  };
  expect(await run(['db', 'migrate'], { actions })).toEqual({
    code: 0,
    out: 'migrate done\nmore\n',
    err: '',
  });
  for (const argv of [
    ['generate', '--name', 'n'],
    ['push'],
    ['studio', '--port', '4000'],
    ['seed'],
    ['reset', '--force'],
    ['reset-and-seed'],
    ['introspect'],
  ])
    expect((await run(['db', ...argv], { actions })).code).toBe(0);
  expect(called).toEqual([
    'migrate',
    ['generate', { name: 'n' }],
    ['push', { force: false }],
    ['studio', { port: 4000 }],
    'seed',
    ['reset', { force: true }],
    ['reset-and-seed', { force: false }],
    'introspect',
  ]);
});

test('db adopt: table by table, and 1 when the worker cannot run on it', async () => {
  const result = {
    summary: 'taken over',
    tables: [
      { table: 'user', differences: [] },
      { table: 'verification', differences: ['attempts is text', 'type is not null'] },
    ],
    blocking: [],
  };
  const fine = await run(['db', 'adopt'], { actions: { dbAdopt: async () => result } });
  expect(fine).toMatchObject({
    code: 0,
    out: `TABLE         DIFFERENCE
user          as the contract has it
verification  attempts is text
              type is not null

taken over
`,
  });
  const blocked = { ...result, blocking: ['mcp_server.id is missing'] };
  const stopped = await run(['db', 'adopt', '--json'], { actions: { dbAdopt: async () => blocked } });
  expect(stopped).toMatchObject({ code: 1, err: 'mcp-vitals: mcp_server.id is missing\n' });
  expect(JSON.parse(stopped.out)).toEqual(blocked);
});
