import { ToolSchema } from '@modelcontextprotocol/sdk/types.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProbeTarget } from '../../../src/core/target.ts';
import { definitionProblem } from '../../../src/mcp/check-definition.ts';
import { createScrubber } from '../../../src/mcp/scrub.ts';
import { Stopwatch } from '../../../src/mcp/stopwatch.ts';
import { targetOfText } from '../../../src/mcp/target.ts';
import { parseRetryAfter, rpcProblemOf } from '../../../src/mcp/transports/http-fault.ts';
import { LineReader } from '../../../src/mcp/transports/line-reader.ts';
import { faultOfNetworkError } from '../../../src/mcp/transports/network-fault.ts';
import { readMessage } from '../../../src/mcp/transports/read-message.ts';

describe('definitionProblem', () => {
  it('agrees with the SDK’s schema on every tool, whichever way it takes', () => {
    const text = fc.option(fc.oneof(fc.string(), fc.integer()), { nil: undefined });
    const schema = fc.oneof(
      fc.constant({ type: 'object' }),
      fc.record(
        {
          type: fc.constantFrom('object', 'array'),
          properties: fc.option(fc.dictionary(fc.string(), fc.oneof(fc.object(), fc.string())), {
            nil: undefined,
          }),
          required: fc.option(fc.array(fc.oneof(fc.string(), fc.integer())), { nil: undefined }),
        },
        { requiredKeys: [] },
      ),
      fc.anything(),
    );
    const tool = fc.record(
      {
        name: text,
        title: text,
        description: text,
        inputSchema: schema,
        outputSchema: fc.option(schema, { nil: undefined }),
        annotations: fc.anything(),
        extra: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(tool, (definition) => {
        const valid = ToolSchema.safeParse(definition).success;
        expect(definitionProblem('tools', definition, 'handshake') === undefined).toBe(valid);
      }),
      { numRuns: 1_000 },
    );
  });

  it('allows in the stateless era what that era allows', () => {
    const tool = { name: 'a', inputSchema: { type: 'object' }, outputSchema: { oneOf: [] } };
    expect(definitionProblem('tools', tool, 'handshake')?.message).toMatch(/outputSchema/);
    expect(definitionProblem('tools', tool, 'stateless')).toBeUndefined();
  });

  it.each([
    ['resources', { name: 'r', uri: 'a:b' }, { name: 'r' }],
    ['resourceTemplates', { name: 't', uriTemplate: 'a:{b}' }, { name: 't', uriTemplate: null }],
    ['prompts', { name: 'p', arguments: [{ name: 'x' }] }, { name: 'p', arguments: ['x'] }],
  ] as const)('judges %s', (kind, good, bad) => {
    for (const era of ['handshake', 'stateless'] as const) {
      expect(definitionProblem(kind, good, era)).toBeUndefined();
      expect(definitionProblem(kind, bad, era)?.message).toEqual(expect.any(String));
    }
  });
});

describe('the scrubber', () => {
  const target: ProbeTarget = {
    id: '1',
    name: '1',
    endpoint: { transport: 'http', url: new URL('http://a/mcp?token=query-secret') },
    credentials: { kind: 'headers', headers: { authorization: 'Bearer top+secret/value==' } },
    era: 'auto',
    timeoutMs: 1,
  };

  it('hides a secret in every coding that it may come back in', () => {
    const scrubber = createScrubber(target, ['granted-token']);
    const secret = 'top+secret/value==';
    const codings = [
      secret,
      encodeURIComponent(secret),
      btoa(secret),
      `Bearer ${secret}`,
      JSON.stringify(secret),
      'query-secret',
      'granted-token',
    ];
    for (const text of codings)
      expect(scrubber.line(`it said ${text}!`)).not.toMatch(/secret|granted|dG9w|%2B/);
  });

  it('leaves one line of bearable length without control characters', () => {
    const scrubber = createScrubber(target, []);
    const line = scrubber.line(`a\r\nb\u001b[31m\u0000\u202ec${'x'.repeat(2_000)}`);
    expect(line.length).toBe(500);
    expect(line.startsWith('a b [31m c')).toBe(true);
  });

  it('hides a long secret also where a long text is cut', () => {
    const token = 'S'.repeat(1_500);
    const scrubber = createScrubber(target, [token]);
    for (const filler of ['', 'a', 'b'.repeat(700)]) {
      expect(scrubber.line(filler + token.repeat(100), 100_000)).not.toContain('S');
    }
  });

  it('keeps the lines of stderr, and the last of them', () => {
    const lines = createScrubber(target, []).lines(`first\n${'x'.repeat(9_000)}\nlast\u0007 one`);
    expect(lines.endsWith('\nlast  one')).toBe(true);
    expect(lines.length).toBeLessThanOrEqual(4_001);
  });
});

describe('the secrets of a target', () => {
  const made = (text: string | string[], env: Record<string, string> = {}) => {
    const target = targetOfText([text].flat(), { timeoutMs: 1_000, env });
    if ('kind' in target) throw new Error(target.message);
    return createScrubber(target, []);
  };

  it('are the user and password of a URL, in each of their forms', () => {
    const scrubber = made('http://admin:p%40ss-w0rd@127.0.0.1/mcp');
    const pair = 'admin:p@ss-w0rd';
    for (const leak of [pair, 'p@ss-w0rd', 'p%40ss-w0rd', btoa(pair), `Basic ${btoa(pair)}`]) {
      expect(scrubber.line(`got ${leak}.`)).toBe('got ***.');
    }
  });

  it('are what nobody would type in a path, and what a query carries', () => {
    const scrubber = made('http://127.0.0.1/s/A1b2C3d4E5f6G7h8/mcp?sig=abcde&x=a%2Fb%20c');
    expect(scrubber.line('/s/A1b2C3d4E5f6G7h8/mcp?sig=abcde&x=a%2Fb%20c')).toBe('/s/***/mcp?sig=***&x=***');
  });

  it.each([
    ['--api-key', 'SECRET-1'],
    ['--api-key=SECRET-1', ''],
    ['-token', 'SECRET-1'],
    ['--db=postgres://me:SECRET-1@127.0.0.1/db', ''],
    ['postgres://me:SECRET-1@127.0.0.1/db', ''],
    ['--header', 'Authorization: Bearer SECRET-1'],
    ['-e', 'MY_PASSWORD=SECRET-1'],
    ['https://127.0.0.1/?q=SECRET-1', ''],
  ])('are in the arguments %s %s', (one, other) => {
    const scrubber = made(['node', 'server.js', one, other]);
    expect(scrubber.line('it wrote SECRET-1, of server.js')).toBe('it wrote ***, of server.js');
  });

  it('are found in arguments of megabytes too', () => {
    const scrubber = made(['node', 'x'.repeat(2_000_000), '-'.repeat(2_000_000), '--token', 'SECRET-1']);
    expect(scrubber.line('SECRET-1')).toBe('***');
  });

  it('are the values of its environment, wherever its stderr was cut', () => {
    const secret = `S${'E'.repeat(40)}T`;
    const scrubber = made(['node'], { VALUE: secret });
    const fault = { kind: 'exit', exitCode: 1, signal: null, message: 'ended' } as const;
    for (let from = 0; from < secret.length; from += 1) {
      const stderr = `…${secret.slice(from)}${` ${secret}`.repeat(180)} the end`;
      expect(JSON.stringify(scrubber.fault({ ...fault, stderr }))).not.toMatch(/E{2}|ET/);
    }
    expect(scrubber.fault({ ...fault, stderr: `start ${secret}\nend` })).toMatchObject({
      stderr: 'start ***\nend',
    });
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
    ['99999999999', 86_400_000],
    ['soon', undefined],
    ['-5', undefined],
    [undefined, undefined],
  ])('reads %j as %j', (value, waitMs) => {
    const parsed = parseRetryAfter(value, now);
    // A negative number is no date in any engine, but some of them try.
    if (value === '-5') expect(parsed ?? 0).toBe(0);
    else expect(parsed).toBe(waitMs);
  });
});

describe('readMessage', () => {
  it.each([
    [
      { jsonrpc: '2.0', id: 1, result: {}, extra: true },
      { jsonrpc: '2.0', id: 1, result: {} },
    ],
    [
      { jsonrpc: '2.0', id: null, error: { code: -1, message: 'x' } },
      { jsonrpc: '2.0', error: { code: -1, message: 'x' } },
    ],
    [
      { jsonrpc: '2.0', id: 1, error: { code: 5 } },
      { jsonrpc: '2.0', id: 1, error: { code: 5, message: '' } },
    ],
    [
      { jsonrpc: '2.0', method: 'a', params: null },
      { jsonrpc: '2.0', method: 'a' },
    ],
  ])('makes the best of %j', (value, message) => {
    expect(readMessage(value)).toEqual(message);
  });

  it.each([
    null,
    7,
    'x',
    [],
    {},
    { jsonrpc: '1.0', id: 1, result: {} },
    { jsonrpc: '2.0', id: 1 },
    { jsonrpc: '2.0', id: 1, result: 'x' },
    { jsonrpc: '2.0', result: {} },
    { jsonrpc: '2.0', id: 1, error: 'x' },
    { jsonrpc: '2.0', id: 1.5, result: {} },
  ])('says why %j is none', (value) => {
    expect(readMessage(value)).toEqual(expect.any(String));
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (value) => void readMessage(value)));
  });
});

describe('LineReader', () => {
  it('finds the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(40)), (texts, cuts) => {
        const wanted = texts.map((text) => text.replace(/[\r\n]/g, ''));
        const bytes = Buffer.from(wanted.map((text) => `${text}\r\n`).join(''));
        const lines: string[] = [];
        const reader = new LineReader(1_000_000, (line) => lines.push(line));
        let from = 0;
        for (const size of [...cuts, bytes.length]) {
          expect(reader.feed(bytes.subarray(from, from + size))).toBe(true);
          from += size;
        }
        expect(lines).toEqual(wanted);
      }),
    );
  });

  it('gives up on a line that has no end', () => {
    const reader = new LineReader(10, () => undefined);
    expect(reader.feed(Buffer.from('12345\n67890'))).toBe(true);
    expect(reader.feed(Buffer.from('1234567'))).toBe(false);
  });
});

describe('faultOfNetworkError', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });
  it.each([
    ['ECONNREFUSED', 'network'],
    ['ENOTFOUND', 'network'],
    ['EHOSTUNREACH', 'network'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['HPE_INVALID_CONSTANT', 'notMcp'],
    ['HPE_HEADER_OVERFLOW', 'limit'],
    ['Z_DATA_ERROR', 'protocol'],
    ['ECONNRESET', 'closed'],
  ])('takes %s for %s', (code, kind) => {
    expect(faultOfNetworkError(coded(code), 'handshake').kind).toBe(kind);
  });

  it('takes a reset before the connection stands for the network', () => {
    expect(faultOfNetworkError(coded('ECONNRESET'), 'connect')).toMatchObject({
      kind: 'network',
      code: 'ECONNRESET',
    });
  });

  it('looks into several tries at once', () => {
    const error = new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]);
    expect(faultOfNetworkError(error, 'connect')).toMatchObject({ kind: 'network', code: 'ECONNREFUSED' });
  });
});

describe('Stopwatch', () => {
  const spend = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };

  it('takes the making of a connection out of the stage it falls in', () => {
    const watch = new Stopwatch();
    watch.dial('dns');
    expect(watch.phase).toBe('dns');
    spend(3);
    watch.dial('connect');
    spend(3);
    watch.dialled();
    expect(watch.phase).toBe('handshake');
    spend(3);
    watch.enter('ping');
    watch.stop();
    const { dns = 0, connect = 0, handshake = 0 } = watch.times;
    for (const phase of [dns, connect, handshake]) expect(phase).toBeGreaterThanOrEqual(2.9);
    expect(dns + connect + handshake).toBeLessThanOrEqual(watch.elapsedMs);
  });
});

it('rpcProblemOf finds the JSON-RPC error in a refusal', () => {
  expect(rpcProblemOf('{"jsonrpc":"2.0","error":{"code":-32022,"message":"no"}}')).toEqual({
    code: -32022,
    message: 'no',
  });
  for (const body of ['', '<p>', '{', '{"error":"x"}', '[]', '{"error":{"message":"x"}}']) {
    expect(rpcProblemOf(body)).toBeUndefined();
  }
});
