import { expect, test } from 'vitest';
import { run } from './run.ts';

test('rollup passes the range on and says what was changed', async () => {
  const seen: object[] = [];
  const rollUp = async ({
    onProgress,
    ...command
  }: {
    onProgress: (state: { done: number; total: number }) => void;
  }) => {
    seen.push(command);
    onProgress({ done: 2, total: 2 });
    return { days: 2, changed: 7, incomplete: ['2026-01-01'] };
  };
  const { code, out } = await run(['rollup', '--from', '2026-01-01', '--to', '2026-01-03', '--dry-run'], {
    actions: { rollUp },
  });
  expect(code).toBe(0);
  expect(seen).toEqual([{ fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 3), dryRun: true }]);
  expect(out).toContain('2 days: 7 statistics would be changed');
  expect(out).toContain('2026-01-01 was left as it is');
});

test.each([
  ['--from', '2026-01-03', '--to', '2026-01-01'],
  ['--from', 'yesterday'],
  ['--from', '2999-01-01', '--to', '2999-01-03'],
])('rollup %s %s … is wrong usage', async (...args) => {
  expect((await run(['rollup', ...args])).code).toBe(2);
});

test.each([
  [['--from', '1h'], '1 day: nothing was to be changed'],
  [['--from', '1h', '--dry-run'], '1 day: nothing would be changed'],
])('rollup %j says that all was right', async (args, line) => {
  const rollUp = async () => ({ days: 1, changed: 0, incomplete: [] });
  const { code, out } = await run(['rollup', ...args], { actions: { rollUp } });
  expect([code, out]).toEqual([0, `${line}\n`]);
});
