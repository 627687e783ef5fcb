import { describe, expect, test } from 'vitest';
import type { EgressReport, SecretsCommand, SecretsReport } from '../../../src/cli/actions.ts';
import { healthy, run } from './run.ts';

const nothingLeft: SecretsReport = {
  replaced: 0,
  byKey: {},
  plain: [],
  unreadable: [],
  changedMeanwhile: [],
  unknown: [],
};

function worldOf(report: Partial<SecretsReport>) {
  const asked: Omit<SecretsCommand, 'onProgress'>[] = [];
  const actions = {
    async secrets({ onProgress: _, ...command }: SecretsCommand) {
      asked.push(command);
      return { ...nothingLeft, ...report };
    },
  };
  return { actions, asked };
}

describe('secrets', () => {
  test('seal asks for the servers named, or for all', async () => {
    const world = worldOf({ replaced: 2, byKey: { a: 2 } });
    expect(await run(['secrets', 'seal', 'one', 'two', 'one'], world)).toEqual({
      code: 0,
      err: '',
      out: '2 servers sealed\nsealed: 2 (2 with the key a)\nin plain text: 0\n',
    });
    await run(['secrets', 'seal', '--all'], world);
    await run(['secrets', 'rotate'], world);
    expect(world.asked).toEqual([
      { work: 'seal', ids: ['one', 'two'] },
      { work: 'seal' },
      { work: 'rotate' },
    ]);
  });

  test.each([[[]], [['one', '--all']]])('seal %j is refused', async (words) => {
    expect((await run(['secrets', 'seal', ...words], worldOf({}))).code).toBe(2);
  });

  test('check is not content with plain text, nor with what cannot be opened', async () => {
    const plain = await run(['secrets', 'check'], worldOf({ plain: ['a\u001b[2J'], byKey: { k: 3 } }));
    expect(plain).toMatchObject({
      code: 1,
      out: 'sealed: 3 (3 with the key k)\nin plain text: 1 (a\\u001b[2J)\n',
    });
    const shut = await run(['secrets', 'check'], worldOf({ unreadable: [{ id: 'x', problem: 'no key' }] }));
    expect(shut).toMatchObject({ code: 1, out: 'sealed: 0\nin plain text: 0\nunreadable: x: no key\n' });
    expect((await run(['secrets', 'check'], worldOf({}))).code).toBe(0);
  });

  test('--json prints what there is, and ids that nobody has are told apart', async () => {
    const { out, err, code } = await run(
      ['secrets', 'seal', 'gone', '--json'],
      worldOf({ unknown: ['gone'] }),
    );
    expect(JSON.parse(out)).toEqual({ ...nothingLeft, unknown: ['gone'] });
    expect({ err, code }).toEqual({ err: 'mcp-vitals: no server has the id gone\n', code: 1 });
  });
});

describe('egress check', () => {
  const denied: EgressReport = {
    url: 'http://internal.example/',
    host: 'internal.example',
    port: 80,
    mode: 'strict',
    permitted: false,
    why: '10.0.0.1 is a private address',
    addresses: [{ address: '10.0.0.1', permitted: false, why: '10.0.0.1 is a private address' }],
  };

  test('tells what would happen and why', async () => {
    const asked: unknown[] = [];
    const actions = {
      async checkEgress(command: { url: string; strict: boolean }) {
        asked.push(command);
        return denied;
      },
    };
    const text = await run(['egress', 'check', 'http://internal.example/', '--strict'], { actions });
    expect(text).toEqual({
      code: 1,
      err: '',
      out: [
        'denied  10.0.0.1 is a private address\n',
        'policy     strict',
        'host       internal.example, port 80',
        'address    10.0.0.1  denied: 10.0.0.1 is a private address\n',
      ].join('\n'),
    });
    const json = await run(['egress', 'check', 'http://internal.example/', '--json'], { actions });
    expect(JSON.parse(json.out)).toEqual(denied);
    expect(asked).toEqual([
      { url: 'http://internal.example/', strict: true },
      { url: 'http://internal.example/', strict: false },
    ]);
  });

  test.each(['ftp://x/', 'nonsense', 'http://'])('%s is refused', async (url) => {
    expect((await run(['egress', 'check', url])).code).toBe(2);
  });
});

test('probe --strict asks for the policy', async () => {
  const asked: unknown[] = [];
  const actions = {
    async probe(command: unknown) {
      asked.push(command);
      return healthy;
    },
  };
  await run(['probe', 'http://h/', '--strict'], { actions });
  expect(asked).toMatchObject([{ strict: true }]);
});
