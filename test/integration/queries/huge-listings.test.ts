import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { scheduleServers } from '../../../src/db/queries/sweep.ts';
import { mcpServer } from '../../../src/db/schema/index.ts';
import type { WatchAnswer, WatchRequest } from '../../fixtures/block-watcher.ts';
import { createTestDatabase } from '../../support/database.ts';
import { GREETING } from '../../support/mcp-scripted.ts';
import { readBody } from '../../support/mcp-servers.ts';
import { registerServer } from '../../support/registry.ts';

const MEBIBYTE = 1024 * 1024;
/** What nobody who waits for the loop should have to wait longer than. */
const MAX_BLOCK_MS = 50;
/** Garbage is collected when it pleases the engine, and its threads are counted: the best of some tries tells. */
const TRIES = 4;

/** The text of a tools/list result, in pieces; a page for each cursor. */
type Listing = (cursor: string | undefined) => Iterable<string>;

const tool = (name: string, extra = ''): string =>
  `{"name":${JSON.stringify(name)},"description":"Looks ${name} up and returns what it found, as text.","inputSchema":{"type":"object","properties":{"query":{"type":"string","description":"what to look for"},"limit":{"type":"integer","minimum":1}},"required":["query"]}${extra}}`;

function* listOf(count: number, toolAt: (place: number) => string, tail = ''): Iterable<string> {
  yield '{"tools":[';
  for (let place = 0; place < count; place += 1) yield (place === 0 ? '' : ',') + toolAt(place);
  yield `]${tail}}`;
}

const within =
  (schema: string): Listing =>
  () => [`{"tools":[${tool('good')},{"name":"odd","inputSchema":`, schema, '}]}'];
const nested = (levels: number): string =>
  `${'{"type":"object","properties":{"a":'.repeat(levels)}{}${'}}'.repeat(levels)}`;

let version = 0;
const LISTINGS: Record<string, Listing> = {
  'fifty-megabytes': () =>
    listOf((50 * MEBIBYTE) / 1024, (place) => tool(`tool_${place}`, `,"x":"${'x'.repeat(800)}"`)),
  'fifty-megabytes-in-pages': (cursor) =>
    listOf(
      1_000,
      (place) => tool(`tool_${cursor ?? 0}_${place}`, `,"x":"${'x'.repeat(800)}"`),
      `,"nextCursor":"${Number(cursor ?? 0) + 1}"`,
    ),
  'ten-thousand': () => listOf(10_000, (place) => tool(`tool_${place}`)),
  // Each of its tools is another one each time.
  'ten-thousand-changing': () => {
    version += 1;
    return listOf(10_000, (place) => tool(`tool_${place}`, `,"title":"version ${version}"`));
  },
  'ten-thousand-duplicates': () => listOf(10_000, (place) => tool('same', `,"x":${place}`)),
  'hundred-thousand-tiny': () =>
    listOf(100_000, (place) => `{"name":"${place}","inputSchema":{"type":"object"}}`),
  'twenty-thousand-levels': within(nested(20_000)),
  'many-empty-lists': within(`{"type":"object","x":[${'[],'.repeat(MEBIBYTE)}1]}`),
  'many-members': within(
    `{"type":"object","x":{${Array.from({ length: 45_000 }, (_, place) => `"k${place}":{}`).join()}}}`,
  ),
  'one-long-text': within(`{"type":"object","description":${JSON.stringify('\\"x'.repeat(250_000))}}`),
  'much-to-collect': () =>
    listOf(400, (place) => tool(`tool_${place}`, `,"x":[${'{"a":1},'.repeat(1_000)}0]`)),
};

let server: Server;
let connection: DatabaseConnection;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let watcher: ChildProcess;
let baseUrl: string;

function send(
  response: ServerResponse,
  asEvents: boolean,
  id: number | undefined,
  result: Iterable<string>,
): void {
  response.writeHead(200, { 'content-type': asEvents ? 'text/event-stream' : 'application/json' });
  const pieces = (function* () {
    yield `${asEvents ? 'data: ' : ''}{"jsonrpc":"2.0","id":${id},"result":`;
    yield* result;
    yield asEvents ? '}\n\n' : '}';
  })();
  const more = (): void => {
    while (!response.destroyed) {
      let text = '';
      for (let next = pieces.next(); ; next = pieces.next()) {
        if (next.done) return void response.end(text);
        text += next.value;
        if (text.length > 100_000) break;
      }
      if (!response.write(text)) {
        response.once('drain', more);
        return;
      }
    }
  };
  more();
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const [, transport, name = ''] = pathname.split('/');
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const message = JSON.parse(await readBody(request)) as {
      id?: number;
      method: string;
      params?: { cursor?: string };
    };
    if (message.id === undefined) return void response.writeHead(202).end();
    const asEvents = transport === 'events';
    const answer = (result: object) => send(response, asEvents, message.id, [JSON.stringify(result)]);
    if (message.method === 'initialize') return answer(GREETING);
    if (message.method === 'tools/list') {
      return send(response, asEvents, message.id, LISTINGS[name]?.(message.params?.cursor) ?? ['{}']);
    }
    answer({});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
  const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
  watcher = fork(path('../../fixtures/block-watcher.ts'), {
    execArgv: ['--import', path('../../support/typescript-loader.mjs')],
  });
});
afterAll(async () => {
  watcher.disconnect();
  server.closeAllConnections();
  server.close();
  await connection.close();
  await database.close();
});

function ask(request: WatchRequest): Promise<WatchAnswer> {
  return new Promise((resolve, reject) => {
    const onEnd = (code: number | null) => reject(new Error(`the watched process ended with ${code}`));
    watcher.once('exit', onEnd);
    watcher.once('message', (answer) => {
      watcher.off('exit', onEnd);
      resolve(answer as WatchAnswer);
    });
    watcher.send(request);
  });
}

async function probe(path: string): Promise<WatchAnswer> {
  const transportType = 'http';
  const answers: WatchAnswer[] = [];
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (attempt === 0 || !path.endsWith('changing')) await connection.db.execute(sql`DELETE FROM mcp_server`);
    const isKnown = (await connection.db.$count(mcpServer)) > 0;
    if (!isKnown)
      await registerServer(connection.db, { id: 'huge', endpointUrl: `${baseUrl}${path}`, transportType });
    await scheduleServers(connection.db, [
      { serverId: 'huge', hostKey: 'huge', nextProbeMs: Date.now() - 10 },
    ]);
    const answer = await ask({
      databaseUrl: database.url,
      serverId: 'huge',
      endpointUrl: `${baseUrl}${path}`,
      transportType,
    });
    answers.push(answer);
    // The first try compiles what the others run.
    if (attempt > 0 && answer.longestTurnMs < MAX_BLOCK_MS) break;
  }
  const [best] = answers.slice(1).sort((one, other) => one.longestTurnMs - other.longestTurnMs);
  if (!best) throw new Error('nothing was probed');
  return best;
}

const CASES: [name: string, told: Partial<WatchAnswer>][] = [
  ['fifty-megabytes', { verdict: 'degraded', reason: 'too_large' }],
  ['fifty-megabytes-in-pages', { verdict: 'degraded', reason: 'too_large' }],
  ['ten-thousand', { verdict: 'up', items: 10_000 }],
  ['ten-thousand-changing', { verdict: 'up', items: 10_000 }],
  ['ten-thousand-duplicates', { verdict: 'degraded', reason: 'invalid_definition', items: 10_000 }],
  ['hundred-thousand-tiny', { verdict: 'degraded', reason: 'too_large' }],
  ['twenty-thousand-levels', { verdict: 'degraded', reason: 'too_deep', items: 2 }],
  ['many-empty-lists', { verdict: 'degraded', reason: 'too_large' }],
  ['many-members', { verdict: 'degraded', reason: 'invalid_definition', items: 2 }],
  ['one-long-text', { verdict: 'up', items: 2 }],
  ['much-to-collect', { verdict: 'degraded', reason: 'too_large' }],
];

describe.each(['json', 'events'])('over HTTP as %s, a listing of', (form) => {
  test.each(CASES)('%s gets a verdict, and holds up nobody', async (name, told) => {
    const answer = await probe(`/${form}/${name}`);
    // As one event it is too long before it is too much.
    const isOneEvent = form === 'events' && name === 'fifty-megabytes';
    const expected = isOneEvent ? { ...told, reason: 'line_too_long' } : told;
    expect(answer).toMatchObject({ ...expected, inventoryProblem: null });
    expect(answer.longestTurnMs).toBeLessThan(MAX_BLOCK_MS);
  });
});
