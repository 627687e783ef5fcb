import { expect, test } from 'vitest';
import type { ProbeCommand } from '../../../src/cli/actions.ts';
import type { ProbeOutcome } from '../../../src/core/outcome.ts';
import { REASONS } from '../../../src/core/reasons.ts';
import { healthy, refused, run } from './run.ts';

function probing(outcome: ProbeOutcome = healthy) {
  const requests: ProbeCommand[] = [];
  const probe = async (request: ProbeCommand) => {
    requests.push(request);
    return outcome;
  };
  return { requests, actions: { probe } };
}

test('JSON, exactly as programs expect it', async () => {
  const { code, out, err } = await run(['probe', 'https://h.example/mcp', '--json'], probing());
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out)).toEqual({
    target: 'https://h.example/mcp',
    transport: 'http',
    era: 'handshake',
    protocolVersion: '2025-11-25',
    verdict: 'up',
    reason: 'ok',
    message: REASONS.ok.title,
    suggestion: REASONS.ok.suggestion,
    serverInfo: { name: 'everything', version: '2.0.0' },
    capabilities: { tools: {} },
    inventory: { tools: 2, resources: 1, resourceTemplates: 0, prompts: 0 },
    phases: {
      dnsMs: 0.2,
      connectMs: 1.1,
      firstByteMs: 4,
      handshakeMs: 20.13,
      pingMs: 1,
      listMs: 10,
      totalMs: 38.57,
    },
    footprint: { sessionsOpened: 1, sessionsClosed: 1 },
  });
});

test('JSON of a server that is down: exit code 1, nulls where nothing was seen', async () => {
  const { code, out } = await run(['probe', 'http://127.0.0.1:1/', '--json', '--tools'], probing(refused));
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    verdict: 'down',
    reason: 'refused',
    message: 'connect ECONNREFUSED 127.0.0.1:1',
    suggestion: REASONS.refused.suggestion,
    serverInfo: null,
    inventory: { tools: null, resources: null, resourceTemplates: null, prompts: null },
    phases: { dnsMs: 0.2, connectMs: 0.3, totalMs: 0.6 },
    tools: [],
  });
});

test('text for people', async () => {
  const { code, out } = await run(['probe', 'https://h.example/mcp', '--tools'], probing());
  expect(code).toBe(0);
  expect(out).toBe(`up  ok
  answers as it should

target      https://h.example/mcp
server      everything 2.0.0
spoken      streamable HTTP, handshake era, protocol 2025-11-25
inventory   2 tools, 1 resource, 0 resource templates, 0 prompts
footprint   1 session opened, 1 closed

  dns          0.20 ms  ▍
  connect       1.1 ms  ██▏
  first byte    4.0 ms  ████████
  handshake    20.1 ms  ████████████████████████████████████████
  ping          1.0 ms  ██
  list         10.0 ms  ███████████████████▉
  total        38.6 ms

  echo  Says it again
  add
`);
});

test('text for people when it is down: reason, what happened, what to do', async () => {
  const { code, out } = await run(['probe', 'http://127.0.0.1:1/'], probing(refused));
  expect(code).toBe(1);
  expect(out).toContain(
    `down  refused\n  connect ECONNREFUSED 127.0.0.1:1\n  What to do: ${REASONS.refused.suggestion}\n`,
  );
  expect(out).not.toContain('inventory');
});

test('degraded is not up', async () => {
  const warnings = [{ code: 'list_failed' as const, kind: 'tools' as const, message: 'tools/list: -32000' }];
  const { code, out } = await run(['probe', 'http://h/'], probing({ ...healthy, warnings }));
  expect(code).toBe(1);
  expect(out).toContain('degraded  list_failed');
  expect(out).toContain('note        tools/list: -32000');
});

test('flags become the request', async () => {
  const world = { ...probing(), environment: { TOKEN: 'from-the-environment' } };
  await run(
    [
      'probe',
      'https://h/sse',
      '--transport',
      'sse',
      '--era',
      'handshake',
      '--header',
      'X-A: 1:2',
      '--header',
      'X-B:',
      '--bearer',
      'env:TOKEN',
      '--timeout',
      '2500',
    ],
    world,
  );
  await run(['probe', 'ws://h/'], world);
  await run(['probe', '--tools', '--', 'npx', '-y', 'srv', '--json', 'a b'], world);
  expect(world.requests).toEqual([
    {
      target: { kind: 'url', url: 'https://h/sse' },
      transport: 'sse',
      era: 'handshake',
      headers: { 'X-A': '1:2', 'X-B': '' },
      bearer: 'from-the-environment',
      timeoutMs: 2500,
    },
    { target: { kind: 'url', url: 'ws://h/' }, era: 'auto', headers: {} },
    { target: { kind: 'command', words: ['npx', '-y', 'srv', '--json', 'a b'] }, era: 'auto', headers: {} },
  ]);
});

test.each([
  [['probe'], 'give a target'],
  [['probe', '--'], 'give a target'],
  [['probe', 'localhost:3000'], 'the target has to be a URL with http://'],
  [['probe', 'ftp://h/'], 'the target has to be a URL'],
  [['probe', 'npx', 'srv'], 'mcp-vitals probe -- npx srv'],
  [['probe', 'http://h/', '--', 'x'], 'not both'],
  [['probe', 'http://h/', '--transport', 'stdio'], 'stdio wants a command'],
  [['probe', '--transport', 'sse', '--', 'x'], 'over stdio, not over sse'],
  [['probe', 'http://h/', '--transport', 'pigeon'], 'Allowed choices are http, sse, websocket, stdio'],
  [['probe', 'http://h/', '--era', 'bronze'], 'Allowed choices are auto, handshake, stateless'],
  [['probe', 'http://h/', '--header', 'no colon'], '--header has to look like "Name: value"'],
  [['probe', 'http://h/', '--header', 'X: a\r\nY: b'], 'no header may hold'],
  [['probe', 'http://h/', '--timeout', '1.5'], 'whole number from 100'],
  [['probe', 'http://h/', '--bearer', 'env:NOT_SET'], 'the environment variable NOT_SET is not set'],
  [['probe', 'http://h/', '--bearer', 'x', '--header', 'authorization: y'], 'not both'],
  [['probe', '--bearer', 'x', '--', 'cmd'], 'are for URLs'],
  [['probe', 'http://h/', '--colour'], "unknown option '--colour'"],
])('%j is wrong usage', async (argv, message) => {
  const { code, out, err } = await run(argv);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(message);
  expect(err).toContain('--help');
});

test('what the user gave as secret never comes back, whoever repeats it', async () => {
  const outcome: ProbeOutcome = {
    ...healthy,
    serverInfo: { name: 'you sent s3cr3t-token', version: '1' },
    fault: { kind: 'http', phase: 'handshake', status: 401, message: 'refused s3cr3t-token and k-12345678' },
  };
  const argv = [
    'probe',
    'https://u:pw@h.example/mcp?api_key=abc',
    '--bearer',
    's3cr3t-token',
    '--header',
    'X-Key: k-12345678',
  ];
  for (const format of [[], ['--json']]) {
    const { out, err } = await run([...argv, ...format], probing(outcome));
    expect(out + err).not.toMatch(/s3cr3t|12345678|pw@|abc/);
    expect(out).toContain('https://h.example/mcp?api_key=[redacted]');
  }
});

test('what a target sent cannot steer the terminal', async () => {
  const outcome: ProbeOutcome = {
    ...healthy,
    serverInfo: { name: '\u001b[2Jevil\u202e', version: '\u0007' },
    inventory: { tools: [{ name: 'a\u001b]0;x\u0007' }], resources: [], resourceTemplates: [], prompts: [] },
  };
  const { out } = await run(['probe', 'http://h/', '--tools'], { ...probing(outcome), isTTY: false });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(out).toContain('\\u001b[2Jevil\\u202e');
});

test('colours on a terminal, and not with NO_COLOR', async () => {
  const coloured = await run(['probe', 'http://h/'], { ...probing(), isTTY: true });
  expect(coloured.out).toContain('\u001b[32mup\u001b[39m');
  const plain = await run(['probe', 'http://h/'], {
    ...probing(),
    isTTY: true,
    environment: { NO_COLOR: '1' },
  });
  expect(plain.out).not.toContain('\u001b');
});
