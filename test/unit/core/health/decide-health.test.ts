import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, type Policy } from '../../../../src/core/policy.ts';
import type { Reason } from '../../../../src/core/reasons.ts';
import { alertsOf, run, START_MS, saw, stateOf, step } from '../../../support/health.ts';

const withHealth = (changes: Partial<Policy['health']>): Policy => ({
  ...DEFAULT_POLICY,
  health: { ...DEFAULT_POLICY.health, ...changes },
});
const runs = (failures: number, successes = 0) => ({ failures, successes, up: successes, degraded: 0 });
const outage = { confirmed: 'down', status: 'error', runs: runs(9), firing: ['server_down'] } as const;
const down = () => stateOf('active', { ...outage, firing: ['server_down'] });
const held = (status: 'inactive' | 'maintenance') => ({ registered: { status, held: true, ours: false } });

describe('one observation', () => {
  test.each([
    ['a first success admits', stateOf('inactive'), 'ok', {}, 'active', 'healthy', null, true],
    ['a first failure counts at once', stateOf('inactive'), 'refused', {}, 'error', 'unhealthy', null, true],
    ['a first success after it, too', stateOf('error'), 'ok', {}, 'active', 'healthy', null, true],
    [
      'a failure of a known server waits',
      stateOf('active'),
      'closed',
      {},
      'active',
      'unhealthy',
      10_000,
      false,
    ],
    ['a refusal is confirmed sooner', stateOf('active'), 'refused', {}, 'active', 'unhealthy', 5_000, false],
    [
      'a second failure confirms',
      stateOf('active', { runs: runs(1) }),
      'closed',
      {},
      'error',
      'unhealthy',
      null,
      true,
    ],
    [
      'missing credentials are damped like an outage',
      stateOf('active', { runs: runs(1) }),
      'unauthenticated',
      {},
      'error',
      'unhealthy',
      null,
      true,
    ],
    ['the way back is confirmed, too', down(), 'ok', {}, 'error', 'healthy', 10_000, false],
    [
      'a second success ends an outage',
      stateOf('active', { ...outage, firing: ['server_down'], runs: runs(0, 1) }),
      'ok',
      {},
      'active',
      'healthy',
      null,
      true,
    ],
    [
      'degraded is alive, and confirmed like a failure',
      stateOf('active', { runs: runs(1) }),
      'list_failed',
      {},
      'active',
      'healthy',
      10_000,
      false,
    ],
    [
      'unknown says nothing',
      stateOf('active', { runs: runs(1) }),
      'internal',
      {},
      'active',
      'unknown',
      null,
      false,
    ],
    [
      'unknown leaves a new server as it is',
      stateOf('inactive'),
      'internal',
      {},
      'inactive',
      'unknown',
      null,
      false,
    ],
    [
      'a held status stays, down',
      stateOf('active', { runs: runs(5) }),
      'closed',
      held('inactive'),
      'inactive',
      'unhealthy',
      null,
      true,
    ],
    ['a held status stays, up', stateOf('active'), 'ok', held('inactive'), 'inactive', 'healthy', null, true],
    [
      'maintenance stays',
      stateOf('maintenance'),
      'closed',
      held('maintenance'),
      'maintenance',
      'unhealthy',
      10_000,
      false,
    ],
  ] as const)('%s', (_, before, reason, world, status, healthStatus, confirmInMs, hard) => {
    const decision = step(before, saw(reason), world);
    expect(decision).toMatchObject({ status, healthStatus, confirmInMs, hard });
    const was = 'registered' in world ? world.registered.status : before.memory.status;
    expect(decision.statusChange).toEqual(status === was ? null : { before: was, after: status });
  });

  test('counts on beneath a maintenance that a person set, and the true state is there afterwards', () => {
    const [, second] = run(stateOf('maintenance'), ['closed', 'closed'], held('maintenance'));
    expect(second).toMatchObject({ status: 'maintenance', confirmed: 'down', statusChange: null });
    const after = step(second?.state ?? stateOf('active'), saw('closed', { atMs: START_MS + 300_000 }), {
      registered: { status: 'active', held: false, ours: false },
    });
    expect(after).toMatchObject({ status: 'error', statusChange: { before: 'active', after: 'error' } });
  });

  test('what lies over a server is no change of its own', () => {
    const overlaid = { registered: { status: 'maintenance', held: false, ours: true } } as const;
    expect(step(stateOf('active'), saw('ok'), overlaid)).toMatchObject({
      status: 'active',
      statusChange: null,
    });
  });

  test('the worker being cut off blames nobody, and who answers is up all the same', () => {
    const offline = { context: { monitorOffline: true, failingCalls: null } };
    const before = stateOf('active', { runs: runs(1) });
    for (const reason of ['dns', 'timeout_connect', 'unauthenticated', 'timeout_list'] as const) {
      const decision = step(before, saw(reason), offline);
      expect(decision.own).toMatchObject({ verdict: 'unknown', reason: 'monitor_offline' });
      expect(decision).toMatchObject({ status: 'active', healthStatus: 'unknown', alerts: [] });
      expect(decision.state.memory.runs).toEqual(before.memory.runs);
      expect(decision.state.latency).toEqual(before.latency);
    }
    expect(step(before, saw('ok'), offline).own.verdict).toBe('up');
  });

  test('failing calls degrade a server with a green probe, and no other', () => {
    const failing = { context: { monitorOffline: false, failingCalls: { calls: 40, errors: 12 } } };
    expect(step(stateOf('active'), saw('ok'), failing).own).toEqual({
      verdict: 'degraded',
      reason: 'calls_failing',
      message: '12 of 40 real calls failed in the last minutes',
    });
    expect(step(stateOf('active'), saw('refused'), failing).own.reason).toBe('refused');
  });
});

describe('thresholds', () => {
  test.each([1, 2, 3, 5])(
    '%i failures go down, not one less, and each is looked at again sooner',
    (failures) => {
      const policy = withHealth({ failuresToDown: failures });
      const decisions = run(stateOf('active'), Array<Reason>(failures).fill('closed'), { policy });
      expect(decisions.map(({ status }) => status)).toEqual([...Array(failures - 1).fill('active'), 'error']);
      expect(decisions.map(({ confirmInMs }) => confirmInMs)).toEqual(
        [10_000, 20_000, 20_000, 20_000].slice(0, failures - 1).concat([null] as never),
      );
      expect(alertsOf(decisions)).toEqual(['fire server_down']);
    },
  );

  test.each([1, 2, 4])('%i successes come back, not one less', (successes) => {
    const policy = withHealth({ successesToUp: successes });
    const decisions = run(down(), Array<Reason>(successes).fill('ok'), { policy });
    expect(decisions.map(({ status }) => status)).toEqual([...Array(successes - 1).fill('error'), 'active']);
    expect(alertsOf(decisions)).toEqual(['resolve server_down']);
  });

  test('a slip among successes and a slip among failures change nothing', () => {
    expect(alertsOf(run(stateOf('active'), ['ok', 'closed', 'ok', 'closed', 'ok']))).toEqual([]);
    expect(alertsOf(run(down(), ['closed', 'ok', 'closed', 'ok', 'closed']))).toEqual([]);
  });

  test('a server that was never well fires and recovers at once', () => {
    const decisions = run(stateOf('inactive'), ['refused', 'refused', 'ok']);
    expect(decisions.map(({ status }) => status)).toEqual(['error', 'error', 'active']);
    expect(alertsOf(decisions)).toEqual(['fire server_down', 'resolve server_down']);
  });
});

describe('alerts', () => {
  test.each<[string, Reason[], string[]]>([
    [
      'missing credentials are their own alert',
      ['unauthenticated', 'unauthenticated'],
      ['fire server_unauthenticated'],
    ],
    [
      'one outage is one alert: what it was confirmed as stays',
      ['closed', 'closed', 'forbidden', 'forbidden', 'forbidden', 'closed'],
      ['fire server_down'],
    ],
    [
      'the kind is that of the failure that confirmed it',
      ['closed', 'forbidden', 'closed', 'ok', 'ok'],
      ['fire server_unauthenticated', 'resolve server_unauthenticated'],
    ],
    [
      'degraded is confirmed, and over when it is confirmed so',
      ['list_failed', 'list_failed', 'ok', 'list_failed', 'ok', 'ok'],
      ['fire server_degraded', 'resolve server_degraded'],
    ],
    [
      'an outage takes the place of what was degraded',
      ['list_failed', 'list_failed', 'closed', 'closed'],
      ['fire server_degraded', 'resolve server_degraded', 'fire server_down'],
    ],
    [
      'an outage that ends in a degraded server',
      ['closed', 'closed', 'list_failed', 'list_failed'],
      ['fire server_down', 'resolve server_down', 'fire server_degraded'],
    ],
    ['unknown and failures between it count on', ['closed', 'internal', 'closed'], ['fire server_down']],
  ])('%s', (_, reasons, expected) => {
    expect(alertsOf(run(stateOf('active'), reasons, { stepMs: 1_000 }))).toEqual(expected);
  });

  test('say what is wrong, and what to do', () => {
    const [first, second] = run(stateOf('active'), ['refused', 'refused']);
    expect(first?.alerts).toEqual([]);
    expect(second?.alerts).toEqual([
      {
        action: 'fire',
        kind: 'server_down',
        key: 'server_down:a',
        severity: 'error',
        serverId: 'a',
        tenantId: 't',
        title: 'Server A is down: the connection was refused',
        description:
          'the connection was refused. Start the server, or correct its host and port: nothing listens there.',
        data: { verdict: 'down', reason: 'refused', failures: 2 },
        atMs: START_MS + 120_000,
      },
    ]);
  });

  test('end when a person switches the server off, and do not begin', () => {
    const [decision] = run(down(), ['closed'], held('inactive'));
    expect(alertsOf(decision ? [decision] : [])).toEqual(['resolve server_down']);
    expect(alertsOf(run(stateOf('active'), ['closed', 'closed', 'closed'], held('inactive')))).toEqual([]);
  });

  test('are said again, all of them, when it is not known which fire', () => {
    const [decision] = run({ ...down(), memory: { ...down().memory, firing: null } }, ['closed']);
    expect(alertsOf(decision ? [decision] : [])).toEqual([
      'resolve server_unauthenticated',
      'resolve server_degraded',
      'resolve server_flapping',
      'resolve slo_burn',
      'fire server_down',
    ]);
  });
});
