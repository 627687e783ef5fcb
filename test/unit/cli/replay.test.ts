import { expect, test } from 'vitest';
import type { Actions, ReplayCommand, ReplayResult } from '../../../src/cli/actions.ts';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { run } from './run.ts';

const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);
const span = (started: string, resolved: string | null) => ({
  kind: 'server_down' as const,
  title: 'Search is down: the connection was refused',
  startedMs: at(started),
  resolvedMs: resolved === null ? null : at(resolved),
});
const result: ReplayResult = {
  server: { id: 'search', name: 'Search' },
  since: '2026-01-01T00:00:00.000Z',
  probes: 288,
  skipped: 1,
  different: 4,
  firstDifference: {
    at: '2026-01-01T01:00:00.000Z',
    stored: { verdict: 'down', reason: 'refused', status: 'error', hard: true, flapping: false },
    replayed: { verdict: 'down', reason: 'refused', status: 'active', hard: false, flapping: true },
  },
  alerts: [
    { match: 'missed', replayed: null, real: span('01:00:00', '01:00:30') },
    {
      match: 'both',
      replayed: span('02:05:00', '02:15:00'),
      real: span('02:00:00', '02:15:00'),
      laterMs: 300_000,
    },
    { match: 'added', replayed: span('03:00:00', null), real: null },
  ],
};

const world = (answer: ReplayResult | null, asked: ReplayCommand[] = []) => {
  const replay: Actions['replay'] = async (command) => {
    asked.push(command);
    return answer;
  };
  return {
    actions: { replay },
    files: { 'calmer.yaml': 'health: { failuresToDown: 4 }\n', 'bad.yaml': 'health:\n  failuresToDown: 0\n' },
  };
};

test('what it would have been, beside what it was', async () => {
  const { code, out, err } = await run(['replay', '--server', 'search'], world(result));
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(`Search: 288 probes since 2026-01-01T00:00:00.000Z
1 probe left out: no state is stored before them to start from
4 states other than stored, first at 2026-01-01T01:00:00.000Z:
  stored   down, refused, hard, status error
  replayed down, refused, soft, status active, flapping

ALERT        FIRED                              FOR  COMPARED     ABOUT
server_down  2026-01-01T01:00:00.000Z          30 s  missed       Search is down: the connection was refused
server_down  2026-01-01T02:05:00.000Z        10 min  5 min later  Search is down: the connection was refused
server_down  2026-01-01T03:00:00.000Z  still firing  new          Search is down: the connection was refused

1 as raised, sooner or later, 1 new, 1 missed
`);
  const json = await run(['replay', '--server', 'search', '--json'], world(result));
  expect(JSON.parse(json.out)).toEqual(result);
});

test('a history without anything to tell of', async () => {
  const quiet = { ...result, skipped: 0, different: 0, firstDifference: null, alerts: [] };
  const { out } = await run(['replay', '--server', 'search'], world(quiet));
  expect(out).toBe(`Search: 288 probes since 2026-01-01T00:00:00.000Z
every state is as it was stored
no alerts, neither replayed nor raised
`);
});

test('takes a moment and a policy', async () => {
  const asked: ReplayCommand[] = [];
  await run(['replay', '--server', 'a', '--since', '12h', '--policy', 'calmer.yaml'], world(result, asked));
  await run(['replay', '--server', 'a'], world(result, asked));
  expect(asked).toEqual([
    {
      idOrName: 'a',
      sinceMs: Date.parse('2026-01-01T12:00:00Z'),
      policy: { ...DEFAULT_POLICY, health: { ...DEFAULT_POLICY.health, failuresToDown: 4 } },
    },
    { idOrName: 'a', sinceMs: Date.parse('2025-12-26T00:00:00Z'), policy: null },
  ]);
});

test.each([
  [[], 2, /required option '--server <id>' not specified/],
  [['--server', 'a', '--since', 'then'], 2, /--since has to be as 30m, 12h, 7d, or an ISO time, not "then"/],
  [['--server', 'a', '--since', '2027-01-01'], 2, /--since is in the future/],
  [['--server', 'a', '--policy', 'gone.yaml'], 2, /gone\.yaml: there is no such file/],
  [['--server', 'a', '--policy', 'bad.yaml'], 2, /bad\.yaml:2:19: health\.failuresToDown: /],
  [['--server', 'ghost'], 1, /no server has the id or name ghost/],
])('%j is refused', async (argv, code, message) => {
  const ran = await run(['replay', ...argv], world(null));
  expect(ran).toMatchObject({ code, out: '' });
  expect(ran.err).toMatch(message);
});
