import { randomBytes } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSecrets } from '../../../src/actions/secrets.ts';
import { addServers } from '../../../src/actions/servers.ts';
import { parseSealingKeys, type SealingKey } from '../../../src/core/secrets/keys.ts';
import { mcpServer, serverState } from '../../../src/db/schema/index.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  type TestDatabase,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase } from '../../support/database.ts';
import { type ScriptedServer, startScripted } from '../../support/mcp-scripted.ts';
import { registerServer } from '../../support/registry.ts';

const oldText = `old:${randomBytes(32).toString('base64')}`;
const newText = `new:${randomBytes(32).toString('base64')}`;
const TOKEN = 'tok-1234567890-SECRET';

let database: TestDatabase;
let daemon: TestDaemon;
let server: ScriptedServer;
const seen: string[] = [];

function keys(text: string): SealingKey[] {
  return parseSealingKeys(text) ?? expect.fail('no keys');
}
const contextOf = (text: string) => ({
  config: () => testConfig(database.url, { secretKeys: text === '' ? [] : keys(text) }),
  version: '0',
  stop: new AbortController().signal,
  lookUp: () => undefined,
  onHangup: () => () => undefined,
  onProgress: () => undefined,
});
const run = (work: 'seal' | 'rotate' | 'check', text: string, ids?: string[]) =>
  runSecrets(contextOf(text), { work, ...(ids ? { ids } : {}), onProgress: () => undefined });
const stored = async (id: string) =>
  (
    await daemon.db.execute<{ text: string }>(
      sql`SELECT auth_config::text AS text FROM mcp_server WHERE id = ${id}`,
    )
  )[0]?.text ?? '';
const stateOf = (id: string) =>
  eventually(`a verdict of ${id}`, async () => {
    const state = await daemon.db.query.serverState.findFirst({ where: eq(serverState.serverId, id) });
    return state?.verdict ? state : undefined;
  });
const register = (id: string, authConfig: object) =>
  registerServer(daemon.db, {
    id,
    status: 'inactive',
    endpointUrl: `http://127.0.0.1:${server.port}/mcp`,
    authType: 'bearer',
    authConfig: authConfig as never,
  });

beforeAll(async () => {
  await clearQueue();
  database = await createTestDatabase();
  server = await startScripted({
    initialize: ({ request, result, raw }) => {
      seen.push(request.headers.authorization ?? '');
      if (request.headers.authorization !== `Bearer ${TOKEN}`) return raw(401, {});
      result({ protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 's', version: '1' } });
    },
  });
  daemon = await startTestDaemon(testConfig(database.url, { secretKeys: keys(`${newText},${oldText}`) }));
});
afterAll(async () => {
  await daemon.stop();
  await server.stop();
  await database.close();
});

describe('credentials in the registry', () => {
  test('in plain text still work, are counted, and are sealed in place', async () => {
    await register('plain', { bearerToken: TOKEN });
    expect(await stateOf('plain')).toMatchObject({ verdict: 'up' });
    await daemon.refreshGauges();
    const metrics = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/^mcp_credentials\{kept="plain"\} 1$/m);

    expect(await run('check', oldText)).toMatchObject({ plain: ['plain'], unreadable: [], byKey: {} });
    expect(await run('seal', oldText, ['plain', 'nobody'])).toMatchObject({
      replaced: 1,
      byKey: { old: 1 },
      unknown: ['nobody'],
    });
    expect(await stored('plain')).toMatch(/^\{"sealed":"v1\.old\.[\w-]+\.[\w-]+\.[\w-]+"\}$/);
    expect(await run('check', oldText)).toMatchObject({ plain: [], byKey: { old: 1 } });
    await daemon.refreshGauges();
    const after = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
    expect(after).toMatch(/^mcp_credentials\{kept="sealed"\} 1$/m);
    expect(after).toMatch(/^mcp_credentials\{kept="plain"\} 0$/m);
  });

  test('that are sealed are opened for the probe', async () => {
    const before = seen.length;
    await daemon.db.execute(
      sql`UPDATE vitals.server_state SET next_probe_at = now() WHERE server_id = 'plain'`,
    );
    await eventually('a probe with the sealed token', () => (seen.length > before ? true : undefined));
    expect(seen.at(-1)).toBe(`Bearer ${TOKEN}`);
  });

  test('are sealed anew with the first key, and a second run finds nothing to do', async () => {
    const rotated = `${newText},${oldText}`;
    expect(await run('rotate', rotated)).toMatchObject({ replaced: 1, byKey: { new: 1 } });
    expect(await stored('plain')).toMatch(/^\{"sealed":"v1\.new\./);
    expect(await run('rotate', rotated)).toMatchObject({ replaced: 0, byKey: { new: 1 } });
    expect(await run('check', oldText)).toMatchObject({ unreadable: [{ id: 'plain' }] });
  });

  test('moved to another row stay shut: unknown, with a reason and what to do', async () => {
    const moved = JSON.parse(await stored('plain'));
    const asked = seen.length;
    await register('thief', moved);
    const state = await stateOf('thief');
    expect(state).toMatchObject({ verdict: 'unknown', reason: 'secret_unreadable' });
    expect(state.message).toMatch(/sealed for another server or tenant/);
    expect(seen).toHaveLength(asked);
    await daemon.db.delete(mcpServer).where(eq(mcpServer.id, 'thief'));
  });

  test('go in sealed when a server is added and there is a key', async () => {
    const added = await addServers(contextOf(newText), [
      {
        id: 'added',
        name: 'added',
        description: null,
        version: null,
        endpointUrl: `http://127.0.0.1:${server.port}/mcp`,
        transportType: 'http',
        authType: 'bearer',
        authConfig: { bearerToken: TOKEN },
        tags: [],
        tenantId: null,
      },
    ]);
    expect(added.added).toHaveLength(1);
    expect(await stored('added')).toMatch(/^\{"sealed":"v1\.new\./);
    expect(await stateOf('added')).toMatchObject({ verdict: 'up' });
  });

  test('go in for no tenant that does not exist', async () => {
    const stray = await addServers(contextOf(newText), [
      {
        id: 'stray',
        name: 'stray',
        description: null,
        version: null,
        endpointUrl: `http://127.0.0.1:${server.port}/stray`,
        transportType: 'http',
        authType: 'none',
        authConfig: null,
        tags: [],
        tenantId: 'nope',
      },
    ]);
    expect(stray).toEqual({
      added: [],
      skipped: [{ name: 'stray', reason: 'there is no tenant with the id nope' }],
    });
    expect(await daemon.db.query.mcpServer.findFirst({ where: eq(mcpServer.id, 'stray') })).toBeUndefined();
  });

  test('are sealed in pages, whatever a gateway wrote; what was sealed before an end is not sealed again', async () => {
    await daemon.db.execute(sql`
      INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, status, last_health_check,
        auth_type, auth_config, created_at, updated_at)
      SELECT 'bulk-' || n, 'bulk', '', 'http://127.0.0.1:1/', 'http', 'o', 'inactive', now(), 'bearer',
        json_build_object('bearerToken', ${TOKEN}::text), now(), now() FROM generate_series(1, 1203) n`);
    await daemon.db.execute(
      sql`UPDATE mcp_server SET auth_config = '{"apiKey": "a\\u0000b"}' WHERE id = 'bulk-7'`,
    );
    await daemon.db.execute(sql`UPDATE mcp_server SET auth_config = 'null' WHERE id = 'bulk-8'`);
    await daemon.db.execute(sql`UPDATE mcp_server SET auth_config = '{}' WHERE id = 'bulk-9'`);
    expect(await run('seal', newText, ['bulk-1', 'bulk-2'])).toMatchObject({ replaced: 2 });
    expect(await run('seal', newText)).toMatchObject({ replaced: 1199, plain: [], byKey: { new: 1203 } });
    await daemon.refreshGauges();
  });

  test('need a key to be sealed', () => {
    expect(() => run('seal', '')).toThrow('VITALS_SECRET_KEY is not set');
  });
});
