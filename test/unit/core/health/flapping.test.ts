import { describe, expect, test } from 'vitest';
import { addRecent, isFlapping } from '../../../../src/core/health/flapping.ts';
import { DEFAULT_POLICY } from '../../../../src/core/policy.ts';
import type { Reason } from '../../../../src/core/reasons.ts';
import { alertsOf, run, stateOf } from '../../../support/health.ts';

const { flapping } = DEFAULT_POLICY.health;
const alternating = (count: number): Reason[] =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 'closed' : 'ok'));
const same = (count: number, reason: Reason): Reason[] => Array(count).fill(reason);

describe('flapping', () => {
  test.each([
    ['10 changes among 20', 'gbgbgbgbgbgggggggggg', false, true],
    ['9 changes', 'gbgbgbgbgbbbbbbbbbbb', false, false],
    ['5 of a server that flapped', 'gbgbgbbbbbbbbbbbbbbb', true, true],
    ['4 of a server that flapped', 'gbgbgggggggggggggggg', true, false],
    ['a new server’s few changes', 'gbgbgbgb', false, false],
    ['nothing', '', true, false],
  ])('%s', (_, recent, before, expected) => {
    expect(isFlapping(recent, before, flapping)).toBe(expected);
  });

  test('ends without a change even where the lower bound is 0', () => {
    expect(isFlapping('gggggg', true, { ...flapping, stopShare: 0 })).toBe(false);
  });

  test('looks at the last 20 probes', () => {
    expect(addRecent('g'.repeat(20), false, flapping)).toBe(`${'g'.repeat(19)}b`);
  });

  test('is one alert, from its beginning to its end', () => {
    const decisions = run(stateOf('active'), [...alternating(40), ...same(20, 'ok')], { stepMs: 1_000 });
    expect(alertsOf(decisions)).toEqual(['fire server_flapping', 'resolve server_flapping']);
    expect(decisions.filter(({ flapping }) => flapping).length).toBeGreaterThan(30);
  });

  test('holds an alert that fires, and one that would', () => {
    const twoByTwo = (count: number): Reason[] =>
      Array.from({ length: count }, (_, index) => (index % 4 < 2 ? 'closed' : 'ok'));
    const decisions = run(stateOf('active'), [...same(2, 'closed'), ...alternating(30), ...twoByTwo(20)], {
      stepMs: 1_000,
    });
    expect(alertsOf(decisions)).toEqual(['fire server_down', 'fire server_flapping']);
    const flaps = decisions.at(-1)?.state ?? stateOf('active');
    expect(flaps.memory.flapping).toBe(true);
    // When it settles the true state is told at once: up,
    expect(alertsOf(run(flaps, same(20, 'ok'), { stepMs: 1_000 }))).toEqual([
      'resolve server_down',
      'resolve server_flapping',
    ]);
    // or still down, by the alert that was held.
    expect(alertsOf(run(flaps, same(20, 'closed'), { stepMs: 1_000 }))).toEqual(['resolve server_flapping']);
  });

  test('that ends in an outage tells of it at once', () => {
    const flaps =
      run(stateOf('active'), alternating(30), { stepMs: 1_000 }).at(-1)?.state ?? stateOf('active');
    const after = run(flaps, same(20, 'refused'), { stepMs: 1_000 });
    expect(alertsOf(after)).toEqual(['resolve server_flapping', 'fire server_down']);
    const end = after.find(({ alerts }) => alerts.length > 0);
    expect(end?.alerts.map(({ action }) => action)).toEqual(['resolve', 'fire']);
  });

  test('says nothing of what says nothing', () => {
    const mixed = Array.from({ length: 60 }, (_, index): Reason => (index % 2 === 0 ? 'internal' : 'ok'));
    expect(alertsOf(run(stateOf('active'), mixed, { stepMs: 1_000 }))).toEqual([]);
  });
});
