import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quoteCommand } from '../../../src/core/import/quote-command.ts';
import { parseSealingKeys } from '../../../src/core/secrets/keys.ts';
import { NONCE_BYTES, sealConfig } from '../../../src/core/secrets/seal.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  type TestDatabase,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase } from '../../support/database.ts';
import { type Script, type ScriptedServer, startScripted } from '../../support/mcp-scripted.ts';
import { registerServer } from '../../support/registry.ts';

/** Every secret begins with this, so that any part of any of them that gets anywhere is found. */
const MARK = 'Zq7XleakZq7X';
const secretOf = (id: string) => `${MARK}-${id}-${randomBytes(6).toString('hex')}`;
const ROUGH = fileURLToPath(new URL('../../fixtures/mcp-servers/rough-stdio.mjs', import.meta.url));

const echoOf = (request: { headers: Record<string, unknown> }) =>
  String(request.headers.authorization ?? request.headers['x-api-key'] ?? '');
const token = (request: { headers: Record<string, unknown> }) => echoOf(request).replace(/^Bearer /, '');
const greeting = (text: string) => ({
  protocolVersion: '2025-06-18',
  capabilities: { tools: {}, prompts: {}, resources: {}, experimental: { [text]: { said: text } } },
  serverInfo: { name: `server ${text}`, version: text, title: text },
  instructions: `Use ${text} to get in. ${'x'.repeat(600)}${text}`,
});

/** Ways for a server to give back what it was shown. */
const WAYS: Record<string, Script> = {
  'error-body': {
    initialize: ({ request, raw }) => raw(500, { 'content-type': 'text/plain' }, `no: ${echoOf(request)}`),
  },
  'error-json': { initialize: ({ request, error }) => error(-32000, `bad token ${token(request)}`) },
  headers: {
    initialize: ({ request, raw }) =>
      raw(401, {
        'www-authenticate': `Bearer error="${token(request)}", error_description="${encodeURIComponent(echoOf(request))}"`,
      }),
  },
  redirect: {
    initialize: ({ request, raw }) =>
      raw(302, { location: `https://elsewhere.example/${token(request)}?t=${token(request)}` }),
  },
  status: {
    initialize: ({ request, response }) => void response.writeHead(418, `teapot ${token(request)}`).end(),
  },
  greeting: { initialize: ({ request, result }) => result(greeting(token(request))) },
  definitions: {
    initialize: ({ request, result }) => result(greeting(token(request))),
    'tools/list': ({ request, result }) =>
      result({
        tools: [
          {
            name: token(request),
            description: echoOf(request),
            inputSchema: {
              type: 'object',
              properties: { [token(request)]: { default: Buffer.from(token(request)).toString('base64') } },
            },
          },
          { name: 'broken', description: null, inputSchema: token(request) },
        ],
      }),
    'prompts/list': ({ request, result }) =>
      result({ prompts: [{ name: token(request), arguments: [{ name: token(request) }] }] }),
    'resources/list': ({ request, result }) =>
      result({ resources: [{ uri: `x:${token(request)}`, name: token(request) }] }),
    'resources/templates/list': ({ request, error }) => error(-32603, token(request)),
  },
  'list-error': {
    initialize: ({ request, result }) => result(greeting(token(request))),
    'tools/list': ({ request, error }) => error(-32603, `cannot list for ${echoOf(request)}`),
  },
  version: {
    initialize: ({ request, result }) =>
      result({ ...greeting('x'), protocolVersion: `1999-${token(request)}` }),
  },
  'not-mcp': {
    initialize: ({ request, raw }) => raw(200, { 'content-type': `text/${token(request)}` }, echoOf(request)),
  },
  'bad-json': {
    initialize: ({ request, raw }) => raw(200, { 'content-type': 'application/json' }, `{"${token(request)}`),
  },
};

let database: TestDatabase;
let daemon: TestDaemon;
const servers: ScriptedServer[] = [];
const secretKeys = parseSealingKeys(`k:${randomBytes(32).toString('base64')}`) ?? [];

beforeAll(async () => {
  await clearQueue();
  database = await createTestDatabase();
  daemon = await startTestDaemon(
    testConfig(database.url, { secretKeys, log: { level: 'trace', format: 'json' } }),
  );
});
afterAll(async () => {
  await daemon.stop();
  for (const server of servers) await server.stop();
  await database.close();
});

test('what servers repeat of our secrets is in no log, table, job, event or metric', async () => {
  const ids: string[] = [];
  const register = async (id: string, row: Omit<Parameters<typeof registerServer>[1], 'id'>) => {
    const authConfig = sealConfig(
      row.authConfig,
      secretKeys[0] ?? expect.fail(),
      { serverId: id, tenantId: null },
      randomBytes(NONCE_BYTES),
    );
    await registerServer(daemon.db, {
      id,
      ...row,
      authConfig: (ids.length % 2 === 0 ? authConfig : row.authConfig) as never,
    });
    ids.push(id);
  };
  for (const [way, script] of Object.entries(WAYS)) {
    const server = await startScripted(script);
    servers.push(server);
    await register(`bearer-${way}`, {
      endpointUrl: server.url,
      authType: 'bearer',
      authConfig: { bearerToken: secretOf(way) },
    });
    await register(`key-${way}`, {
      endpointUrl: server.url,
      authType: 'api_key',
      authConfig: { apiKey: secretOf(way) },
    });
  }
  const stdio = (id: string, ...words: string[]) =>
    register(id, {
      endpointUrl: quoteCommand([process.execPath, ROUGH, ...words]),
      transportType: 'stdio',
      authConfig: { custom: { env: { ECHO: secretOf(id) } } },
    });
  await stdio('stdio-exit', 'echo-exit');
  await stdio('stdio-tools', 'echo-tools');
  for (const id of ids) {
    await eventually(
      `a verdict of ${id}`,
      async () => {
        const [row] = await daemon.db.execute<{ verdict: string | null }>(sql`
        SELECT verdict FROM vitals.server_state WHERE server_id = ${id}`);
        return row?.verdict ?? undefined;
      },
      60_000,
    );
  }
  await daemon.refreshGauges();

  const places = new Map<string, string>();
  places.set('log', daemon.log.map((line) => JSON.stringify(line)).join('\n'));
  places.set('metrics', await (await fetch(`${daemon.httpUrl}/metrics`)).text());
  const tables = await daemon.db.execute<{ schema: string; name: string }>(sql`
    SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`);
  expect(tables.length).toBeGreaterThan(35);
  for (const { schema, name } of tables) {
    const table = sql`${sql.identifier(schema)}.${sql.identifier(name)}`;
    // The credentials themselves are where they were put.
    const row = name === 'mcp_server' ? sql`(to_jsonb(t) - 'auth_config')::text` : sql`t::text`;
    const rows = await daemon.db.execute<{ text: string }>(sql`SELECT ${row} AS text FROM ${table} t`);
    places.set(`${schema}.${name}`, rows.map(({ text }) => text).join('\n'));
  }
  expect(places.get('public.mcp_server_health_check')).toContain('***');
  expect(places.get('public.mcp_tool')).toContain('***');
  const needles = [
    MARK,
    Buffer.from(`${MARK}-`).toString('base64').slice(0, 16),
    encodeURIComponent(`${MARK}-`),
  ];
  const leaks = [...places].flatMap(([place, text]) =>
    needles.flatMap((needle) => {
      const at = text.indexOf(needle);
      return at === -1 ? [] : [`${place}: …${text.slice(Math.max(0, at - 160), at + 60)}…`];
    }),
  );
  expect(leaks).toEqual([]);
}, 180_000);
