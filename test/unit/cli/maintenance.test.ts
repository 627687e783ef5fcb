import { expect, test } from 'vitest';
import type { NewMaintenance } from '../../../src/cli/actions.ts';
import { run } from './run.ts';

const add = (...options: string[]) => ['maintenance', 'add', '--title', 'new disks', ...options];

test('add plans what it is told', async () => {
  const planned: NewMaintenance[] = [];
  const addMaintenance = async (window: NewMaintenance) => {
    planned.push(window);
    return { id: 'w1', unknown: [] };
  };
  const end = ['--end', '2026-01-02T14:00:00+01:00'];
  const done = await run(
    add(...end, '--service', 'a', '--service', 'b', '--tenant', 't', '--type', 'upgrade'),
    {
      actions: { addMaintenance },
    },
  );
  expect(done).toEqual({ code: 0, out: 'planned w1\n', err: '' });
  expect(planned).toEqual([
    {
      title: 'new disks',
      type: 'upgrade',
      impact: 'partial',
      startMs: Date.parse('2026-01-02T00:00:00Z'),
      endMs: Date.parse('2026-01-02T13:00:00Z'),
      services: ['a', 'b'],
      tenants: ['t'],
    },
  ]);
});

test.each([
  [['--end', '2026-01-01T00:00:00Z', '--service', 'a'], '--end has to be after --start'],
  [['--end', '2026-01-03', '--service', 'a'], '--end: 2026-01-03 is no time like 2026-01-31T12:00:00Z'],
  [['--end', '2026-13-03T00:00:00Z', '--service', 'a'], 'is no time'],
  [['--end', '2026-01-03T00:00:00Z'], "required option '--service <id>' not specified"],
  [['--end', '2026-01-03T00:00:00Z', '--service', 'a', '--type', 'fun'], 'Allowed choices are'],
])('add %j is refused', async (options, message) => {
  const { code, err } = await run(add(...options));
  expect(code).toBe(2);
  expect(err).toContain(message);
});

test('add refuses servers that are not registered', async () => {
  const addMaintenance = async () => ({ id: null, unknown: ['x', 'y'] });
  const options = ['--end', '2026-01-03T00:00:00Z', '--service', 'x', '--service', 'y'];
  const { code, err } = await run(add(...options), { actions: { addMaintenance } });
  expect([code, err.split('\n')[0]]).toEqual([
    2,
    'mcp-vitals: no server has the id x, y: nothing was planned',
  ]);
});

test('list shows what goes on, also as JSON', async () => {
  const window = {
    id: 'w1',
    title: 'new disks',
    status: 'extended',
    type: 'upgrade',
    impact: 'partial',
    services: ['a'],
    tenants: [],
    scheduledStart: '2026-01-02T00:00:00.000Z',
    scheduledEnd: '2026-01-02T01:00:00.000Z',
    actualStart: '2026-01-02T00:00:00.000Z',
    actualEnd: null,
  };
  const actions = { listMaintenance: async () => [window] };
  expect((await run(['maintenance', 'list'], { actions, columns: 200 })).out).toContain(
    '2026-01-02T00:00:00.000Z to its end',
  );
  expect(JSON.parse((await run(['maintenance', 'list', '--json'], { actions })).out)).toEqual([window]);
  const none = await run(['maintenance', 'list'], { actions: { listMaintenance: async () => [] } });
  expect(none.out).toBe('no maintenance\n');
});

test.each([
  ['cancel', 'done', 0, 'cancelled w1\n'],
  ['end', 'done', 0, 'completed w1\n'],
  ['end', 'unknown', 2, 'no maintenance has the id w1'],
  ['end', 'over', 1, 'w1 is over already'],
  ['end', 'not_begun', 1, 'w1 has not begun: it can be cancelled'],
] as const)('%s: %s', async (command, result, code, text) => {
  const done = await run(['maintenance', command, 'w1'], { actions: { endMaintenance: async () => result } });
  expect(done.code).toBe(code);
  expect(done.out + done.err).toContain(text);
});
