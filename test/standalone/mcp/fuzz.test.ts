import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { classify } from '../../../src/core/classify.ts';
import { REASON_CODES } from '../../../src/core/reasons.ts';
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
  prober = createProber({ clientInfo: CLIENT_INFO });
});
afterAll(async () => {
  await prober.close();
  await server.stop();
});

test(
  'whatever a server sends, a probe ends with a reason that is not our own fault, and leaves nothing',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { minLength: 1, maxLength: 6 }), async (answers) => {
        queue = answers;
        at = 0;
        const outcome = await prober.probe(targetOf(server.url, { timeoutMs: TIMEOUT_MS }));
        const { reason, message: told } = classify(outcome);
        expect(REASON_CODES).toContain(reason);
        expect(reason, told).not.toBe('internal');
        expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
        expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      }),
      { numRuns: 1_000_000, interruptAfterTimeLimit: BUDGET_MS, markInterruptAsFailure: false },
    );
  },
  BUDGET_MS * 4 + 30_000,
);
