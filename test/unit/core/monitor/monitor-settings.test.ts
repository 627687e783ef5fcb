import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monitorOfSettings, NO_BUDGET, parseMonitor } from '../../../../src/core/monitor/monitor-settings.ts';
import { pathText } from '../../../../src/core/monitor/reader.ts';

const problemsOf = (value: unknown) =>
  parseMonitor(value).problems.map(({ path, message }) => `${pathText(path)}: ${message}`);

describe('settings that say nothing', () => {
  test.each([[undefined], [null], [{}], [{ monitor: null }], [{ timeout: 5 }], ['text'], [[1]], [7]])(
    '%j: nothing is limited, nothing called, nothing wrong',
    (settings) => {
      expect(monitorOfSettings(settings)).toEqual({
        settings: { budget: NO_BUDGET, canary: null, slo: { objective: null } },
        problems: [],
      });
    },
  );
});

test('everything that there is', () => {
  const monitor = {
    budget: { probesPerDay: 24, bytesPerDay: 1e6, doNotWake: true, trustTraffic: true },
    canary: {
      tool: 'search',
      arguments: { q: 'ping' },
      allow: true,
      timeoutMs: 900,
      expect: {
        isError: true,
        contains: 'pong',
        jsonPath: [{ path: '$.json[0]', equals: null }],
        withinMs: 100,
      },
    },
    slo: { objective: 0.999 },
  };
  expect(monitorOfSettings({ monitor })).toEqual({ settings: monitor, problems: [] });
});

test('a canary of a tool alone', () => {
  expect(parseMonitor({ canary: { tool: 'now' } }).settings.canary).toEqual({
    tool: 'now',
    arguments: {},
    allow: false,
    timeoutMs: 5_000,
    expect: { isError: false, contains: null, jsonPath: [], withinMs: null },
  });
});

const path = (text: unknown) => ({
  canary: { tool: 't', expect: { jsonPath: [{ path: text, equals: 1 }] } },
});

test.each<[unknown, string]>([
  [7, ': is no object'],
  [[], ': is no object'],
  [{ budgets: {} }, 'budgets: is not known; known are budget, canary, slo'],
  [{ budget: 5 }, 'budget: is no object'],
  [{ budget: { probesPerDay: 0 } }, 'budget.probesPerDay: is no whole number from 1 to 20000'],
  [{ budget: { probesPerDay: '5' } }, 'budget.probesPerDay: is no whole number from 1 to 20000'],
  [{ budget: { bytesPerDay: 1.5 } }, 'budget.bytesPerDay: is no whole number from 1 to 1000000000000'],
  [{ budget: { doNotWake: 'yes' } }, 'budget.doNotWake: is neither true nor false'],
  [
    { budget: { probePerDay: 5 } },
    'budget.probePerDay: is not known; known are probesPerDay, bytesPerDay, doNotWake, trustTraffic',
  ],
  [{ slo: { objective: 1 } }, 'slo.objective: is no number between 0 and 1, as 0.995'],
  [{ slo: { objective: 99.5 } }, 'slo.objective: is no number between 0 and 1, as 0.995'],
  [{ canary: {} }, 'canary.tool: is missing'],
  [{ canary: { tool: '' } }, 'canary.tool: is no text of 1 to 200 characters'],
  [{ canary: { tool: 't', arguments: [] } }, 'canary.arguments: is no object'],
  [{ canary: { tool: 't', timeoutMs: -1 } }, 'canary.timeoutMs: is no whole number from 1 to 60000'],
  [
    { canary: { tool: 't', expect: { jsonPath: {} } } },
    'canary.expect.jsonPath: is no array of at most 20 entries',
  ],
  [{ canary: { tool: 't', expect: { jsonPath: [1] } } }, 'canary.expect.jsonPath[0]: is no object'],
  [
    { canary: { tool: 't', expect: { jsonPath: [{ path: '$' }] } } },
    'canary.expect.jsonPath[0].equals: is missing',
  ],
  [path(5), 'canary.expect.jsonPath[0].path: is no text'],
  [
    path('$.a['),
    'canary.expect.jsonPath[0].path: is no JSONPath (RFC 9535): end of input was not expected at character 5',
  ],
  [
    path('a.b'),
    'canary.expect.jsonPath[0].path: is no JSONPath (RFC 9535): "a" was not expected at character 1',
  ],
  [
    path('$[?match(@.a, "x")]'),
    'canary.expect.jsonPath[0].path: uses the function match; allowed are length, count, value',
  ],
  [path('$[?@.a && @.b && @.c]'), 'canary.expect.jsonPath[0].path: has more than one &&'],
  [path(`$${'.a'.repeat(200)}`), 'canary.expect.jsonPath[0].path: is no text of 1 to 300 characters'],
])('%j is named: %s', (value, problem) => {
  expect(problemsOf(value)).toContain(problem);
});

test('arguments that nobody typed are refused', () => {
  const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`a${index}`, index]));
  let deep: unknown = 1;
  for (let depth = 0; depth < 5_000; depth += 1) deep = [deep];
  for (const args of [many, { deep }, { long: 'x'.repeat(20_000) }]) {
    expect(problemsOf({ canary: { tool: 't', arguments: args } })).toEqual([
      'canary.arguments: is too large: at most 1000 values, 16384 characters and 20 levels',
    ]);
  }
});

test('what is wrong in one place leaves the others as they are; of a canary nothing is left', () => {
  const { settings, problems } = parseMonitor({
    budget: { probesPerDay: -1, doNotWake: true },
    canary: { tool: 't', expect: { contains: 7 } },
    slo: { objective: 0.9 },
  });
  expect(settings).toEqual({
    budget: { ...NO_BUDGET, doNotWake: true },
    canary: null,
    slo: { objective: 0.9 },
  });
  expect(problems).toHaveLength(2);
});

test('never throws, and says no more than a person can read, whatever JSON it is given', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      for (const given of [
        value,
        { monitor: value },
        { monitor: { canary: value, budget: value, slo: value } },
      ]) {
        const { settings, problems } = monitorOfSettings(given);
        expect(settings.budget).toBeDefined();
        expect(problems.length).toBeLessThanOrEqual(20);
      }
    }),
  );
});

test('never calls half of a canary: with any member replaced by anything else, it is whole or gone', () => {
  const good = {
    tool: 't',
    arguments: {},
    allow: false,
    timeoutMs: 5,
    expect: { isError: false, contains: 'x', jsonPath: [{ path: '$', equals: 1 }], withinMs: 5 },
  };
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(good)), fc.jsonValue(), (name, value) => {
      const { settings, problems } = parseMonitor({ canary: { ...good, [name]: value } });
      expect(settings.canary === null).toBe(problems.length > 0);
    }),
  );
});
