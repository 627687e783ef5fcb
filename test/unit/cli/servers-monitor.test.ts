import { expect, test } from 'vitest';
import type { Actions } from '../../../src/cli/actions.ts';
import { run } from './run.ts';

/** A registry of one server that holds the given settings, and what was stored in it. */
function registry(held: unknown, problems: string[] = []) {
  const stored: unknown[] = [];
  const detail = (idOrName: string, monitor: unknown) =>
    idOrName === 'one' ? { id: 'one', name: 'One', monitor, problems } : null;
  const actions: Partial<Actions> = {
    showMonitor: async (idOrName) => detail(idOrName, held),
    setMonitor: async (idOrName, monitor) => {
      stored.push(monitor);
      return detail(idOrName, monitor);
    },
  };
  return { actions, stored };
}

const CANARY = { canary: { tool: 'now', expect: { jsonPath: [{ path: '$.a', equals: 1 }] } } };

test('what is stored is shown', async () => {
  const { actions } = registry(CANARY);
  const { code, out } = await run(['servers', 'monitor', 'one'], { actions });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual(CANARY);
  expect((await run(['servers', 'monitor', 'one'], registry(null))).out).toBe('no monitoring settings\n');
});

test('what of it is not applied is told', async () => {
  const { actions } = registry({ canary: 7 }, ['monitor.canary is no object']);
  expect(await run(['servers', 'monitor', 'one'], { actions })).toMatchObject({
    code: 1,
    err: 'mcp-vitals: not applied: monitor.canary is no object\n',
  });
});

test.each([
  ['JSON', JSON.stringify(CANARY)],
  ['YAML', 'canary:\n  tool: now # the clock\n  expect:\n    jsonPath:\n      - { path: $.a, equals: 1 }\n'],
])('a file of %s is stored', async (_what, text) => {
  const { actions, stored } = registry(null);
  const files = { 'x/monitor.json': text };
  const ran = await run(['servers', 'monitor', 'one', '--file', 'x/monitor.json'], { actions, files });
  expect(ran).toEqual({ code: 0, out: 'stored the monitoring settings of One\n', err: '' });
  expect(stored).toEqual([CANARY]);
});

const INVALID: [string, string, string[]][] = [
  [
    'a path',
    '{\n  "canary": {\n    "tool": "now",\n    "expect": { "jsonPath": [\n      { "path": "$.a[", "equals": 1 }] } }\n}',
    ['m.json:5:', 'canary.expect.jsonPath[0].path: is no JSONPath (RFC 9535): end of input was not expected'],
  ],
  ['a canary without a tool', 'canary:\n  allow: true\n', ['m.json:2:', 'canary.tool: is missing']],
  [
    'a budget and an objective',
    'budget: { probesPerDay: 0 }\nslo:\n  objective: 99\n',
    [
      'm.json:1:',
      'budget.probesPerDay: is no whole number',
      'm.json:3:',
      'slo.objective: is no number between 0 and 1',
    ],
  ],
  ['the syntax', '{ "canary": ', ['m.json:1:']],
];
test.each(INVALID)(
  'a file with something wrong in it is refused with line and reason: %s',
  async (_what, text, told) => {
    const { actions, stored } = registry(CANARY);
    const ran = await run(['servers', 'monitor', 'one', '--file', 'm.json'], {
      actions,
      files: { 'm.json': text },
    });
    expect(ran).toMatchObject({ code: 2, out: '' });
    for (const part of told) expect(ran.err).toContain(part);
    expect(stored).toEqual([]);
  },
);

test('settings can be taken away', async () => {
  const { actions, stored } = registry(CANARY);
  const ran = await run(['servers', 'monitor', 'one', '--clear'], { actions });
  expect(ran).toMatchObject({ code: 0, out: 'took the monitoring settings of One away\n' });
  expect(stored).toEqual([null]);
});

test('a file that is not there, a server that is not, and two things at once', async () => {
  const { actions, stored } = registry(null);
  const files = { 'm.json': '{}' };
  expect(await run(['servers', 'monitor', 'one', '--file', 'gone.json'], { actions })).toMatchObject({
    code: 1,
    err: 'mcp-vitals: gone.json: there is no such file\n',
  });
  expect(await run(['servers', 'monitor', 'two'], { actions })).toMatchObject({
    code: 1,
    err: 'mcp-vitals: no server has the id or name two\n',
  });
  const both = await run(['servers', 'monitor', 'one', '--file', 'm.json', '--clear'], { actions, files });
  expect(both.code).toBe(2);
  expect(stored).toEqual([]);
});
