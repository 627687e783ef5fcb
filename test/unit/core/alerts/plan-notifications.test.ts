import { describe, expect, test } from 'vitest';
import { groupId, planNotifications, type Told } from '../../../../src/core/alerts/plan-notifications.ts';
import { alertOf, configOf, inputOf, REPEAT_MS } from './planning.ts';

const toldOf = (alertId: string, changes: Partial<Told> = {}): Told => ({
  alertId,
  channel: 'ops',
  groupKey: `server:${alertId}`,
  lastAtMs: 0,
  resolved: false,
  failed: false,
  ...changes,
});
const brief = (plan: ReturnType<typeof planNotifications>) => ({
  said: plan.deliveries.map(
    ({ channel, transitions }) =>
      `${channel}: ${transitions.map(({ alertId, transition }) => `${transition} ${alertId}`).join(', ')}`,
  ),
  done: plan.done.map(({ id, because }) => [id, because]),
  held: plan.held.map(({ id, because }) => [id, because]),
  next: plan.nextLookMs,
});
const muted = (because: 'maintenance' | 'dependency', ...ids: string[]) =>
  new Map(ids.map((id) => [id, { because, by: 'it' }]));

describe('what is told at once', () => {
  test('a new alert, and it is told again after the repeat interval', () => {
    const plan = planNotifications(inputOf(10, [alertOf('a')]));
    expect(brief(plan)).toEqual({ said: ['ops: fire a'], done: [[1, null]], held: [], next: null });
  });

  test('the end, to those who were told of the beginning only', () => {
    const over = alertOf('a', { resolvedAtMs: 5 });
    const config = configOf({ channels: ['ops', 'chat'] });
    expect(brief(planNotifications(inputOf(10, [over], { config, told: [toldOf('a')] })))).toMatchObject({
      said: ['ops: resolve a'],
      done: [
        [1, null],
        [2, null],
      ],
    });
  });

  test('the end goes where the beginning went, whatever the routes say by now', () => {
    const told = [toldOf('a', { channel: 'old', groupKey: 'kind:server_down' })];
    const plan = planNotifications(inputOf(10, [alertOf('a', { resolvedAtMs: 5 })], { told }));
    expect(plan.deliveries).toMatchObject([{ channel: 'old', groupKey: 'kind:server_down' }]);
  });

  test('what is over goes out before what began', () => {
    const again = alertOf('a2', { server: { id: 'a', name: 'a', tags: [] }, startedAtMs: 6 });
    const input = inputOf(10, [again, alertOf('a', { resolvedAtMs: 5 })], { told: [toldOf('a')] });
    expect(brief(planNotifications(input)).said).toEqual(['ops: resolve a, fire a2']);
  });

  test('more than fifty of one group are several messages', () => {
    const alerts = Array.from({ length: 120 }, (_, index) => alertOf(`s${index}`));
    const plan = planNotifications(inputOf(10, alerts, { config: configOf({ groupBy: 'all' }) }));
    expect(plan.deliveries.map(({ transitions }) => transitions.length)).toEqual([50, 50, 20]);
  });
});

describe('what nobody is told', () => {
  test('what was over before anybody was told', () => {
    expect(brief(planNotifications(inputOf(10, [alertOf('a', { resolvedAtMs: 5 })])))).toEqual({
      said: [],
      done: [
        [1, 'over_before_told'],
        [2, 'over_before_told'],
      ],
      held: [],
      next: null,
    });
  });

  test('what no route takes', () => {
    const config = configOf({ channels: [] });
    expect(brief(planNotifications(inputOf(10, [alertOf('a')], { config })))).toMatchObject({
      done: [[1, 'no_route']],
    });
  });

  test('an end, where sendResolved is false', () => {
    const input = inputOf(10, [alertOf('a', { resolvedAtMs: 5 })], {
      config: configOf({ sendResolved: false }),
      told: [toldOf('a')],
    });
    expect(brief(planNotifications(input))).toMatchObject({
      said: [],
      done: [
        [1, null],
        [2, null],
      ],
    });
  });

  test('the end of what a channel never took', () => {
    const input = inputOf(10, [alertOf('a', { resolvedAtMs: 5 })], { told: [toldOf('a', { failed: true })] });
    expect(brief(planNotifications(input))).toMatchObject({
      said: [],
      done: [
        [1, 'over_before_told'],
        [2, 'over_before_told'],
      ],
    });
  });

  test('an entry whose alert is gone with its server', () => {
    expect(brief(planNotifications({ ...inputOf(10, [alertOf('a')]), alerts: [] }))).toMatchObject({
      said: [],
      done: [[1, null]],
    });
  });
});

describe('groups', () => {
  const config = configOf({ groupBy: 'all', groupWaitMs: 100, groupIntervalMs: 1_000 });

  test('wait for their members, from the first on', () => {
    const alerts = [alertOf('a'), alertOf('b', { startedAtMs: 80 })];
    expect(brief(planNotifications(inputOf(99, alerts, { config })))).toEqual({
      said: [],
      done: [],
      held: [
        [1, 'grouping'],
        [3, 'grouping'],
      ],
      next: 100,
    });
    expect(brief(planNotifications(inputOf(100, alerts, { config }))).said).toEqual(['ops: fire a, fire b']);
  });

  test('speak again after the interval only', () => {
    const groups = new Map([[groupId('ops', 'all'), { lastAtMs: 50, waiting: false }]]);
    const at = (nowMs: number) =>
      brief(planNotifications(inputOf(nowMs, [alertOf('a', { startedAtMs: 200 })], { config, groups })));
    expect(at(900)).toMatchObject({ said: [], next: 1_050 });
    expect(at(1_050)).toMatchObject({ said: ['ops: fire a'] });
  });

  test.each([
    ['server', 'server:a'],
    ['tenant', 'tenant:t'],
    ['kind', 'kind:server_down'],
    ['alert', 'alert:server_down:a'],
    ['all', 'all'],
  ] as const)('by %s', (groupBy, groupKey) => {
    const input = inputOf(10, [alertOf('a', { tenantId: 't' })], { config: configOf({ groupBy }) });
    expect(planNotifications(input).deliveries).toMatchObject([{ groupKey }]);
  });

  test('by server: what is about none is alone', () => {
    const incident = alertOf('i', { kind: 'incident', key: 'incident:host', server: null });
    expect(planNotifications(inputOf(10, [incident])).deliveries).toMatchObject([
      { groupKey: 'alert:incident:host' },
    ]);
  });
});

describe('repeats', () => {
  const told = [toldOf('a', { lastAtMs: 1_000 })];
  const at = (nowMs: number, changes = {}) =>
    brief(planNotifications({ ...inputOf(nowMs, [alertOf('a')], { told }), entries: [], ...changes }));

  test('come after the interval and no sooner', () => {
    expect(at(1_000 + REPEAT_MS - 1)).toEqual({ said: [], done: [], held: [], next: 1_000 + REPEAT_MS });
    expect(at(1_000 + REPEAT_MS).said).toEqual(['ops: repeat a']);
  });

  test('do not come while the last message is on its way', () => {
    const groups = new Map([[groupId('ops', 'server:a'), { lastAtMs: 1_000, waiting: true }]]);
    expect(at(1_000_000, { groups }).said).toEqual([]);
  });

  test('do not come in maintenance', () => {
    expect(at(1_000_000, { suppressions: muted('maintenance', 'a') }).said).toEqual([]);
  });

  test('of what a channel never took are its beginning', () => {
    const failed = [toldOf('a', { lastAtMs: 1_000, failed: true })];
    expect(at(1_000 + REPEAT_MS, { told: failed }).said).toEqual(['ops: fire a']);
    expect(at(1_000 + REPEAT_MS - 1, { told: failed }).said).toEqual([]);
  });

  test('reach a channel that a route gained meanwhile with the beginning, at once', () => {
    expect(at(2_000, { config: configOf({ channels: ['ops', 'new'] }) }).said).toEqual(['new: fire a']);
  });
});

describe('maintenance', () => {
  const suppressions = muted('maintenance', 'a');

  test('holds every alert of its servers, and lets those go that still fire', () => {
    const drift = alertOf('d', { kind: 'drift_breaking', server: { id: 'a', name: 'a', tags: [] } });
    const held = planNotifications(inputOf(10, [alertOf('a'), drift, alertOf('b')], { suppressions }));
    expect(brief(held)).toMatchObject({
      said: ['ops: fire b'],
      held: [
        [1, 'maintenance'],
        [3, 'maintenance'],
      ],
    });
    expect(brief(planNotifications(inputOf(20, [alertOf('a'), drift]))).said).toEqual([
      'ops: fire a, fire d',
    ]);
  });

  test('what began and ended in it is told to nobody, and why is kept', () => {
    const input = inputOf(10, [alertOf('a', { resolvedAtMs: 5 })], { suppressions });
    const entries = input.entries.map((entry) => ({
      ...entry,
      heldBecause: entry.transition === 'fire' ? 'maintenance' : null,
    }));
    expect(brief(planNotifications({ ...input, entries }))).toMatchObject({
      said: [],
      done: [
        [1, 'maintenance'],
        [2, 'over_before_told'],
      ],
    });
  });

  test('does not keep the end of what was told before', () => {
    const input = inputOf(10, [alertOf('a', { resolvedAtMs: 5 })], { suppressions, told: [toldOf('a')] });
    expect(brief(planNotifications(input)).said).toEqual(['ops: resolve a']);
  });
});

describe('dependants', () => {
  const suppressions = muted('dependency', 'a');

  test.each([
    ['server_down', 'dependency'],
    ['server_unauthenticated', 'dependency'],
    ['server_degraded', 'dependency'],
    ['slo_burn', 'dependency'],
    ['drift_breaking', null],
    ['drift_suspicious', null],
    ['pin_broken', null],
  ] as const)('%s is held because of %s', (kind, because) => {
    const plan = brief(planNotifications(inputOf(10, [alertOf('a', { kind })], { suppressions })));
    expect(plan.held).toEqual(because === null ? [] : [[1, because]]);
    expect(plan.said).toHaveLength(because === null ? 1 : 0);
  });
});

describe('incidents', () => {
  const incident = alertOf('i', {
    kind: 'incident',
    key: 'incident:host',
    server: null,
    severity: 'critical',
  });
  const members = ['a', 'b', 'c'].map((id) => alertOf(id, { incidentId: 'i' }));

  test('speak for their members', () => {
    const plan = brief(planNotifications(inputOf(10, [incident, ...members])));
    expect(plan).toMatchObject({
      said: ['ops: fire i'],
      held: [
        [3, 'incident'],
        [5, 'incident'],
        [7, 'incident'],
      ],
    });
  });

  test('no longer once they are over: what still fires is told', () => {
    const over = { ...incident, resolvedAtMs: 5 };
    const plan = brief(
      planNotifications(inputOf(10, [over, ...members], { told: [toldOf('i', { groupKey: 'x' })] })),
    );
    expect(plan.said).toEqual(['ops: resolve i', 'ops: fire a', 'ops: fire b', 'ops: fire c']);
  });

  test('only to channels that hear of the incident: the others hear of the members', () => {
    const config = configOf({}, [{ match: { kinds: ['server_down'] }, channels: ['ops', 'downs'] }]);
    const plan = brief(planNotifications(inputOf(10, [incident, ...members], { config })));
    expect(plan.said).toEqual(['ops: fire i', 'downs: fire a', 'downs: fire b', 'downs: fire c']);
  });

  test('are routed by what holds of their members', () => {
    const tagged = (id: string, tenantId: string) =>
      alertOf(id, { incidentId: 'i', tenantId, server: { id, name: id, tags: ['prod'] } });
    const config = configOf({}, [
      { match: { tenants: ['t'] }, channels: ['tenant'], continue: true },
      { match: { tags: ['prod'] }, channels: ['prod'] },
    ]);
    const said = (...alerts: ReturnType<typeof alertOf>[]) =>
      brief(planNotifications(inputOf(10, alerts, { config }))).said;
    expect(said(incident, tagged('a', 't'), tagged('b', 't'))).toEqual(['tenant: fire i', 'prod: fire i']);
    // Another tenant's servers are none of this one's business.
    expect(said(incident, tagged('a', 't'), tagged('b', 'u'))).toEqual(['prod: fire i', 'tenant: fire a']);
  });
});

describe('flapping', () => {
  const flapping = alertOf('f', {
    kind: 'server_flapping',
    key: 'server_flapping:a',
    server: { id: 'a', name: 'a', tags: [] },
  });

  test('holds the server’s transitions to one: its own', () => {
    const plan = brief(planNotifications(inputOf(10, [flapping, alertOf('a'), alertOf('b')])));
    expect(plan.said).toEqual(['ops: fire f', 'ops: fire b']);
    expect(plan.held).toEqual([[3, 'flapping']]);
  });

  test('holds ends as well, until it is over', () => {
    const over = alertOf('a', { resolvedAtMs: 5 });
    const told = [toldOf('a'), toldOf('f', { groupKey: 'server:a' })];
    expect(brief(planNotifications(inputOf(10, [flapping, over], { told }))).said).toEqual([]);
    const still = { ...flapping, resolvedAtMs: 9 };
    expect(brief(planNotifications(inputOf(10, [still, over], { told }))).said).toEqual([
      'ops: resolve a, resolve f',
    ]);
  });

  test('does not hold what is no change of state', () => {
    const drift = alertOf('d', { kind: 'pin_broken', server: { id: 'a', name: 'a', tags: [] } });
    expect(brief(planNotifications(inputOf(10, [flapping, drift]))).said).toEqual(['ops: fire d, fire f']);
  });
});

describe('routes', () => {
  const alert = alertOf('a', {
    tenantId: 't',
    severity: 'critical',
    server: { id: 'a', name: 'a', tags: ['x', 'y'] },
  });
  const said = (...routes: Parameters<typeof configOf>[1] & object) =>
    brief(planNotifications(inputOf(10, [alert], { config: configOf({}, routes) }))).said.map(
      (line) => line.split(':')[0],
    );

  test.each([
    [{}, true],
    [{ tenants: ['t', 'u'] }, true],
    [{ tenants: ['u'] }, false],
    [{ tags: ['y'] }, true],
    [{ tags: ['z'] }, false],
    [{ severities: ['critical' as const] }, true],
    [{ severities: ['error' as const] }, false],
    [{ kinds: ['server_down' as const] }, true],
    [{ kinds: ['slo_burn' as const] }, false],
    [{ servers: ['a'] }, true],
    [{ servers: ['b'] }, false],
    [{ tenants: ['t'], tags: ['z'] }, false],
  ])('%j: %s', (match, fits) => {
    expect(said({ match, channels: ['there'] })).toEqual([fits ? 'there' : 'ops']);
  });

  test('the first that matches takes it, and further ones after continue', () => {
    expect(said({ channels: ['one'] }, { channels: ['two'] })).toEqual(['one']);
    expect(
      said({ channels: ['one'], continue: true }, { channels: ['two', 'one'] }, { channels: ['three'] }),
    ).toEqual(['one', 'two']);
    expect(said({ channels: [] })).toEqual([]);
  });
});
