import { describe, expect, test } from 'vitest';
import type { DriftTimeline, InventoryDiff, Pin } from '../../../src/cli/actions.ts';
import { run } from './run.ts';

const NOW = Date.parse('2026-01-02T00:00:00Z');
const HOUR = 3_600_000;
const HASH = `v2:${'ab'.repeat(32)}`;
const pin: Pin = {
  serverId: 'a',
  serverName: 'Docs',
  hash: HASH,
  pinnedAt: '2026-01-01T00:00:00.000Z',
  currentHash: HASH,
  brokenSince: '2026-01-01T12:00:00.000Z',
};
const timeline: DriftTimeline = {
  server: { id: 'a', name: 'Do\u202ecs' },
  pin,
  tokenEstimate: 'bytes / 4',
  entries: [
    {
      at: '2026-01-01T12:00:00.000Z',
      hash: HASH,
      previousHash: 'v2:0',
      grade: 'breaking',
      counts: { breaking: 3, suspicious: 0, additive: 0, cosmetic: 0 },
      tokens: 90,
      previousTokens: 100,
      changes: [
        {
          grade: 'breaking',
          kind: 'tools',
          key: 'search',
          code: 'property_removed',
          text: 'lost parameter `limit`',
          sentence: 'search lost parameter `limit`; 4,120 calls in the last 7 days used this tool',
        },
      ],
    },
    {
      at: '2026-01-01T00:00:00.000Z',
      hash: 'v2:0',
      previousHash: null,
      grade: null,
      counts: { breaking: 0, suspicious: 0, additive: 0, cosmetic: 0 },
      tokens: 100,
      previousTokens: null,
      changes: [],
    },
  ],
};

describe('drift', () => {
  test('shows the timeline, hidden characters made visible', async () => {
    const { code, out } = await run(['drift', 'a'], { actions: { readDrift: async () => timeline } });
    expect(code).toBe(0);
    expect(out).toContain('Do\\u202ecs (a)\npinned to v2:abab');
    expect(out).toContain('broken since 2026-01-01T12:00:00.000Z');
    expect(out).toContain(
      '2026-01-01T12:00:00.000Z  3 breaking changes; the listing shrank by 10 to about 90 tokens (estimated as bytes of compact JSON / 4)',
    );
    expect(out).toContain(
      'breaking    search lost parameter `limit`; 4,120 calls in the last 7 days used this tool\n  and 2 more\n',
    );
    expect(out).toContain('first inventory; the listing is about 100 tokens');
  });
  test('prints JSON', async () => {
    const { out } = await run(['drift', 'a', '--json'], { actions: { readDrift: async () => timeline } });
    expect(JSON.parse(out)).toEqual(timeline);
  });
  test.each([
    [[], null],
    [['--since', '7d'], NOW - 7 * 24 * HOUR],
    [['--since', '90m'], NOW - 1.5 * HOUR],
    [['--since', '2026-01-01'], NOW - 24 * HOUR],
    [['--since', '2026-01-01T22:00'], NOW - 2 * HOUR],
    [['--since', '2026-01-01T22:00:00.5+02:00'], NOW - 4 * HOUR + 500],
    [['--since', 'now'], NOW],
  ])('with %j asks for what is since %j', async (options, expected) => {
    let asked: unknown;
    await run(['drift', 'a', ...options], {
      actions: {
        readDrift: async (_id, sinceMs) => {
          asked = sinceMs;
          return timeline;
        },
      },
    });
    expect(asked).toBe(expected);
  });
  test.each([
    'yesterday',
    '',
    '7',
    '7y',
    '-1d',
    '2026-13-01',
    '2026-02-30',
    '2026-01-01T25:00',
    '\u001b[2J',
    'Infinity',
  ])('refuses --since %j', async (since) => {
    const { code, err } = await run(['drift', 'a', '--since', since]);
    expect(code).toBe(2);
    expect(err).toContain('is no time');
    expect(err).not.toContain('\u001b');
  });
  test('of an unknown server fails', async () => {
    const { code, err } = await run(['drift', 'a\u200b'], { actions: { readDrift: async () => null } });
    expect(code).toBe(1);
    expect(err).toContain('no server has the id or name');
  });
});

describe('diff', () => {
  const diff: InventoryDiff = {
    server: { id: 'a', name: 'Docs' },
    tokenEstimate: 'bytes / 4',
    from: { hash: 'v2:0', at: '2026-01-01T00:00:00.000Z', tokens: 100 },
    to: { hash: HASH, at: '2026-01-01T12:00:00.000Z', tokens: 90 },
    counts: { breaking: 1, suspicious: 0, additive: 0, cosmetic: 0 },
    changes: timeline.entries[0]?.changes ?? [],
  };
  test('shows both ends and what lies between', async () => {
    let asked: unknown;
    const { code, out } = await run(['diff', 'a', '2d', HASH.slice(0, 20)], {
      actions: {
        diffInventories: async (...args) => {
          asked = args;
          return diff;
        },
      },
    });
    expect(code).toBe(0);
    expect(asked).toEqual(['a', { atMs: NOW - 48 * HOUR }, { hash: HASH.slice(0, 20) }]);
    expect(out).toContain('1 breaking change; the listing shrank by 10');
    expect(out).toContain('breaking    search lost');
  });
  test.each([
    ['then', 'now'],
    ['now', 'v2:xyz'],
    ['now', 'v2:ab'],
    ['1d', ''],
  ])('refuses %j and %j', async (from, to) => {
    expect((await run(['diff', 'a', from, to])).code).toBe(2);
  });
  test('wants two times', async () => {
    expect((await run(['diff', 'a', 'now'])).code).toBe(2);
  });
});

describe('pin', () => {
  const change = { server: { id: 'a', name: 'Docs' }, summary: `pinned to ${HASH}`, pin };
  test('says what it did', async () => {
    let asked: unknown;
    const pinInventory = async (...args: unknown[]) => {
      asked = args;
      return change;
    };
    expect(await run(['pin', 'a'], { actions: { pinInventory } })).toEqual({
      code: 0,
      out: `Docs pinned to ${HASH}\n`,
      err: '',
    });
    expect(asked).toEqual(['a', null]);
    await run(['pin', 'a', '--accept', HASH], { actions: { pinInventory } });
    expect(asked).toEqual(['a', HASH]);
  });
  test('removes and lists', async () => {
    const unpinInventory = async () => ({ ...change, summary: 'is not pinned any more', pin: null });
    expect((await run(['pin', 'a', '--remove'], { actions: { unpinInventory } })).out).toBe(
      'Docs is not pinned any more\n',
    );
    const listed = await run(['pin', '--list'], { actions: { listPins: async () => [pin] } });
    expect(listed.out).toMatch(/^STATE .*\nbroken {2}a {3}Docs/);
    expect((await run(['pin', '--list'], { actions: { listPins: async () => [] } })).out).toBe(
      'nothing is pinned\n',
    );
    expect((await run(['pin', 'x', '--list'], { actions: { listPins: async () => null } })).code).toBe(1);
  });
  test.each([
    [[]],
    [['a', '--accept', 'latest']],
    [['a', '--accept', 'v2:12']],
    [['a', '--accept', HASH, '--remove']],
    [['a', '--remove', '--list']],
    [['a', 'b']],
  ])('refuses %j', async (args) => {
    expect((await run(['pin', ...args])).code).toBe(2);
  });
});
