import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, type SelfCheckPolicy } from '../../../src/core/policy.ts';
import type { SelfJudgement } from '../../../src/core/self-check/judge-self.ts';
import { createSelfCheck } from '../../../src/daemon/self-check.ts';

function setUp(changes: Partial<SelfCheckPolicy> = {}) {
  const policy: SelfCheckPolicy = {
    ...DEFAULT_POLICY.selfCheck,
    massFailures: 3,
    anchors: ['a:1'],
    ...changes,
  };
  const world = { reachable: true, nowMs: 0, looks: 0, refusesChanges: false };
  const changed: SelfJudgement[] = [];
  const asked: { offline: boolean; believed: string[] }[] = [];
  const errors: unknown[] = [];
  const check = createSelfCheck({
    policy: () => policy,
    senses: {
      reachAnchor: async () => {
        world.looks += 1;
        return world.reachable;
      },
      resolvesName: async () => true,
      loopLagMs: () => 0,
      networkUp: () => true,
    },
    now: () => world.nowMs,
    onChange: async (judgement) => {
      if (world.refusesChanges) throw new Error('no database');
      changed.push(judgement);
    },
    askAgain: async ({ offline }, believed) => void asked.push({ offline, believed }),
    onError: (error) => errors.push(error),
  });
  const fails = (serverId: string) => check.isOurs({ serverId, reason: 'timeout_connect', loopback: false });
  return { check, world, changed, asked, errors, fails };
}

describe('the self-check', () => {
  test('believes single failures without a look', async () => {
    const { fails, world } = setUp();
    world.reachable = false;
    expect([await fails('a'), await fails('b'), await fails('a')]).toEqual([false, false, false]);
    expect(world.looks).toBe(0);
  });

  test('looks before it believes a mass failure, once for all that wait, and says whom it had believed', async () => {
    const { fails, world, changed, asked } = setUp();
    world.reachable = false;
    await fails('a');
    await fails('b');
    expect(await Promise.all([fails('c'), fails('d'), fails('e')])).toEqual([true, true, true]);
    expect(world.looks).toBe(1);
    expect(changed).toMatchObject([{ offline: true, cause: 'anchors' }]);
    expect(asked).toEqual([{ offline: true, believed: ['a', 'b', 'c', 'd', 'e'] }]);
  });

  test('blames the servers when the worker is online', async () => {
    const { fails, world, changed } = setUp();
    for (const id of ['a', 'b', 'c', 'd']) expect(await fails(id)).toBe(false);
    expect([world.looks, changed]).toEqual([1, []]);
  });

  test('what answers is no failure, and answers with an error are the servers’ own', async () => {
    const { check, fails, world } = setUp();
    world.reachable = false;
    await fails('a');
    await fails('b');
    expect(await check.isOurs({ serverId: 'a', reason: null, loopback: false })).toBe(false);
    expect(await fails('c')).toBe(false);
    expect(await check.isOurs({ serverId: 'd', reason: 'server_error', loopback: false })).toBe(false);
    expect(world.looks).toBe(0);
  });

  test('looks often while it is offline, and says when it is back', async () => {
    const { check, fails, world, changed } = setUp();
    world.reachable = false;
    for (const id of ['a', 'b', 'c']) await fails(id);
    world.nowMs = 5_000;
    await check.turn();
    world.reachable = true;
    world.nowMs = 10_000;
    await check.turn();
    expect(changed.map(({ offline }) => offline)).toEqual([true, false]);
    expect(await fails('d')).toBe(false);
  });

  test('has those asked again, at a change and for a moment after it, that were in flight at it', async () => {
    const { check, fails, world, changed, asked } = setUp();
    world.reachable = false;
    for (const id of ['a', 'b', 'c']) await fails(id);
    for (world.nowMs = 5_000; world.nowMs <= 20_000; world.nowMs += 5_000) await check.turn();
    expect(asked).toEqual(Array(3).fill({ offline: true, believed: ['a', 'b', 'c'] }));
    world.reachable = true;
    for (asked.length = 0; world.nowMs <= 45_000; world.nowMs += 5_000) await check.turn();
    expect(asked.map(({ offline }) => offline)).toEqual([false, false, false]);
    expect(changed).toHaveLength(2);
  });

  test('looks each half minute where anchors are configured, and never where none are', async () => {
    const { check, world } = setUp();
    for (world.nowMs = 0; world.nowMs < 60_000; world.nowMs += 5_000) await check.turn();
    expect(world.looks).toBe(2);
    const without = setUp({ anchors: [] });
    await without.check.turn();
    expect(without.world.looks).toBe(0);
  });

  test('a change that could not be recorded is recorded at the next look', async () => {
    const { check, fails, world, changed, errors } = setUp();
    world.reachable = false;
    world.refusesChanges = true;
    for (const id of ['a', 'b', 'c']) await fails(id);
    expect([changed.length, errors.length]).toEqual([0, 1]);
    world.refusesChanges = false;
    world.nowMs = 5_000;
    await check.turn();
    expect(changed).toMatchObject([{ offline: true }]);
  });
});
