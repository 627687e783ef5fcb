import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { classify } from '../../../src/core/classify.ts';
import { REASON_CODES } from '../../../src/core/reasons.ts';
import type { ProbeTarget } from '../../../src/core/target.ts';
import { createProber, type Prober } from '../../../src/mcp/prober.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';
import { GREETING, type ScriptedServer, startScripted } from '../../support/mcp-scripted.ts';

/** `npm run fuzz` has more; the ordinary run keeps to a budget that nobody minds. */
const BUDGET_MS = Number(process.env.FUZZ_SECONDS ?? 6) * 1_000;
const TIMEOUT_MS = 400;

/** What a server sends in answer to each request, whatever that was. */
interface Sent {
  status: number;
  type: string;
  body: string;
}

const oddId = fc.oneof(
  fc.constantFrom(0, 1, 2, -1, 1.5, 1e308, '0', '', null, true),
  fc.constant({}),
  fc.constant([0]),
);
const json = fc.jsonValue({ maxDepth: 4 });
const member = fc.constantFrom(
  'id',
  'jsonrpc',
  'result',
  'error',
  'method',
  'params',
  '__proto__',
  'constructor',
  'tools',
  'nextCursor',
  'serverInfo',
  'protocolVersion',
  'capabilities',
);
const message = fc.oneof(
  fc.record(
    {
      jsonrpc: fc.constantFrom('2.0', '1.0', 2),
      id: oddId,
      result: fc.oneof(json, fc.constant(GREETING), fc.record({ tools: fc.array(json) })),
    },
    { requiredKeys: [] },
  ),
  fc.record({
    jsonrpc: fc.constant('2.0'),
    id: oddId,
    error: fc.oneof(json, fc.record({ code: fc.oneof(fc.integer(), json), message: json })),
  }),
  fc.record(
    {
      jsonrpc: fc.constant('2.0'),
      id: oddId,
      method: fc.constantFrom(
        'sampling/createMessage',
        'roots/list',
        'ping',
        'notifications/x',
        'initialize',
      ),
      params: json,
    },
    { requiredKeys: ['method'] },
  ),
  fc.dictionary(member, json),
  json,
);
/** Texts that nearly are messages: cut, doubled, and with characters put in. */
const text = fc.oneof(
  message.map((value) => JSON.stringify(value)),
  fc
    .tuple(
      message,
      fc.nat(200),
      fc.constantFrom('', '\u0000', '\ud800', '"', '}', 'NaN', '1e999999', '[[[[[[[['),
    )
    .map(([value, at, put]) => {
      const whole = JSON.stringify(value);
      return whole.slice(0, at) + put + whole.slice(at + 1);
    }),
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const event = fc
  .tuple(
    fc.constantFrom('data: ', 'event: message\ndata: ', 'id: 1\ndata: ', 'retry: 1\ndata:', ': ', 'data'),
    text,
    fc.constantFrom('\n\n', '\r\n\r\n', '\n', ''),
  )
  .map((parts) => parts.join(''));
const sent: fc.Arbitrary<Sent> = fc.oneof(
  fc.record({
    status: fc.constantFrom(200, 200, 200, 202, 204, 400, 401, 404, 500),
    type: fc.constantFrom('application/json', 'application/json; charset=x', 'text/html', ''),
    body: text,
  }),
  fc.record({
    status: fc.constant(200),
    type: fc.constant('text/event-stream'),
    body: fc.array(event, { maxLength: 6 }).map((events) => events.join('')),
  }),
  fc.record({
    status: fc.constant(200),
    type: fc.constant('application/json'),
    body: fc.array(message, { maxLength: 4 }).map((batch) => JSON.stringify(batch)),
  }),
);

let server: ScriptedServer;
let prober: Prober;
let queue: readonly Sent[] = [];
let at = 0;

/** What a connection that stays open brings, whatever it is asked: one text for each request, or several. */
let stream: readonly string[][] = [];
const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
sockets.on('connection', (socket) => {
  let asked = 0;
  socket.on('error', () => socket.terminate());
  socket.on('message', () => {
    for (const said of stream[asked] ?? []) socket.send(said);
    asked += 1;
    if (asked >= stream.length) socket.close();
  });
});

beforeAll(async () => {
  const answer: Parameters<typeof startScripted>[0] = new Proxy(
    {},
    {
      get:
        () =>
        ({ raw }: { raw(status: number, headers: Record<string, string>, body?: string): void }) => {
          const { status, type, body } = queue[at++ % Math.max(1, queue.length)] ?? {
            status: 404,
            type: '',
            body: '',
          };
          raw(status, type === '' ? {} : { 'content-type': type }, body);
        },
    },
  );
  server = await startScripted(answer);
});
// One for each test: the last try of a test is given up when its time is over, and may still be under way.
beforeEach(() => {
  prober = createProber({ clientInfo: CLIENT_INFO });
});
afterEach(() => prober.close());
afterAll(async () => {
  await server.stop();
  for (const socket of sockets.clients) socket.terminate();
  sockets.close();
});

async function expectReason(target: ProbeTarget): Promise<void> {
  const { reason, message: told } = classify(await prober.probe(target));
  expect(REASON_CODES).toContain(reason);
  expect(reason, told).not.toBe('internal');
  expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
}
const within = (share: number) => ({
  numRuns: 1_000_000,
  interruptAfterTimeLimit: BUDGET_MS * share,
  markInterruptAsFailure: false,
});

test(
  'whatever a server sends, a probe ends with a reason that is not our own fault, and leaves nothing',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { minLength: 1, maxLength: 6 }), async (answers) => {
        queue = answers;
        at = 0;
        await expectReason(targetOf(server.url, { timeoutMs: TIMEOUT_MS }));
      }),
      within(0.5),
    );
  },
  BUDGET_MS * 4 + 30_000,
);

test(
  'whatever comes over a WebSocket',
  async () => {
    const { port } = sockets.address() as AddressInfo;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 5 }), async (said) => {
        stream = said;
        await expectReason(targetOf(`ws://127.0.0.1:${port}/`, { timeoutMs: TIMEOUT_MS }));
      }),
      within(0.25),
    );
  },
  BUDGET_MS * 4 + 30_000,
);

test(
  'whatever lines a command writes',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (lines) => {
        const words = ['sh', '-c', 'cat "$0"; sleep 0.05', await writeLines(lines)];
        await expectReason(targetOf(words, { transport: 'stdio', timeoutMs: 2 * TIMEOUT_MS }));
      }),
      within(0.25),
    );
  },
  BUDGET_MS * 4 + 30_000,
);

async function writeLines(lines: readonly string[]): Promise<string> {
  folder ??= await mkdtemp(join(tmpdir(), 'vitals-fuzz-'));
  const file = join(folder, 'lines');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}
let folder: string | undefined;
afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true });
});
