import { describe, expect, test } from 'vitest';
import {
  type ActiveWindow,
  activeWindows,
  advanceWindow,
  planRecurring,
  problemOf,
  startNearMs,
  type WindowRow,
  windowOf,
} from '../../../../src/core/maintenance/windows.ts';

const AT = (hour: number, minute = 0): number => Date.UTC(2026, 10, 23, hour, minute);

const row = (changes: Partial<WindowRow> = {}): WindowRow => ({
  id: 'w1',
  title: 'upgrade',
  services: ['*'],
  tenants: [],
  scheduledStartMs: AT(10),
  scheduledEndMs: AT(11),
  actualStartMs: null,
  actualEndMs: null,
  createdMs: AT(1),
  status: 'scheduled',
  ...changes,
});

const begun = { status: 'in_progress', actualStartMs: AT(10) };
const extended = { status: 'extended', actualStartMs: AT(10) };

describe('whether a window goes on, and until when', () => {
  test.each<[string, Partial<WindowRow>, number, number | null | undefined]>([
    ['before it', {}, AT(9, 59), undefined],
    ['at its start', {}, AT(10), AT(11)],
    ['just before its end', {}, AT(11) - 1, AT(11)],
    ['at its end', {}, AT(11), undefined],
    ['begun early by a person', { status: 'in_progress' }, AT(9), AT(11)],
    ['begun, with its end planned otherwise', { ...begun, actualEndMs: AT(10, 30) }, AT(10, 15), AT(10, 30)],
    ['ended early', { ...begun, actualEndMs: AT(10, 30) }, AT(10, 30), undefined],
    ['cancelled', { status: 'cancelled' }, AT(10, 30), undefined],
    ['completed', { status: 'completed' }, AT(10, 30), undefined],
    ['extended, within its plan', extended, AT(10, 30), null],
    ['extended, long after its plan', extended, AT(23), null],
    ['extended, and ended', { ...extended, actualEndMs: AT(12) }, AT(12), undefined],
    ['extended to a known end', { ...extended, actualEndMs: AT(12) }, AT(11, 59), AT(12)],
    ['its end before its start', { scheduledEndMs: AT(9) }, AT(10), undefined],
    ['services that are no list', { services: 'everything' }, AT(10, 30), undefined],
    ['tenants that are no texts', { tenants: [1] }, AT(10, 30), undefined],
  ])('%s', (_, changes, nowMs, untilMs) => {
    const [active] = activeWindows([row(changes)], [], nowMs);
    expect(active?.untilMs).toBe(untilMs);
  });
});

describe('the window’s own next step', () => {
  test.each<[string, Partial<WindowRow>, number, ReturnType<typeof advanceWindow>]>([
    ['nothing before its start', {}, AT(9), null],
    ['it begins', {}, AT(10), { status: 'in_progress', actualStartMs: AT(10), actualEndMs: null }],
    [
      'it was entered late',
      { createdMs: AT(10, 20) },
      AT(10, 21),
      { status: 'in_progress', actualStartMs: AT(10, 20), actualEndMs: null },
    ],
    ['nothing in the middle', begun, AT(10, 30), null],
    ['it ends', begun, AT(11), { status: 'completed', actualStartMs: AT(10), actualEndMs: AT(11) }],
    ['nobody was there', {}, AT(15), { status: 'completed', actualStartMs: AT(10), actualEndMs: AT(11) }],
    [
      'a person began it',
      { status: 'in_progress' },
      AT(9),
      { status: 'in_progress', actualStartMs: AT(9), actualEndMs: null },
    ],
    ['extended, it goes on', extended, AT(15), null],
    [
      'extended, and its end has come',
      { ...extended, actualEndMs: AT(12) },
      AT(12),
      { status: 'completed', actualStartMs: AT(10), actualEndMs: AT(12) },
    ],
    ['cancelled', { status: 'cancelled' }, AT(10, 30), null],
    ['one that cannot be used', { scheduledEndMs: AT(9) }, AT(10), null],
  ])('%s', (_, changes, nowMs, expected) => {
    const before = row(changes);
    const step = advanceWindow(before, nowMs);
    expect(step).toEqual(expected);
    // Twice changes nothing more.
    if (step) expect(advanceWindow({ ...before, ...step }, nowMs)).toBeNull();
  });
});

test('what is wrong with a row is said', () => {
  expect(problemOf(row({ scheduledEndMs: AT(9) }))).toBe('it ends before it starts');
  expect(problemOf(row({ services: {} }))).toBe('affected_services is not a list of texts');
  expect(problemOf(row({ status: 'paused' }))).toBe('its status is paused');
  expect(problemOf(row({ services: null, tenants: null }))).toBeNull();
});

describe('recurring windows', () => {
  const berlin = (cron: string, durationMs: number) =>
    planRecurring([
      { title: 'nightly', cron, timeZone: 'Europe/Berlin', durationMs, services: ['a'], tenants: [] },
    ]);
  const untilOf = (cron: string, durationMs: number, at: string) => {
    const [active] = activeWindows([], berlin(cron, durationMs), Date.parse(at));
    return active?.untilMs ? new Date(active.untilMs).toISOString() : null;
  };
  test.each([
    ['30 2 * * *', 3_600_000, '2026-11-24T01:29:59Z', null],
    ['30 2 * * *', 3_600_000, '2026-11-24T01:30:00Z', '2026-11-24T02:30:00.000Z'],
    ['30 2 * * *', 3_600_000, '2026-11-24T02:30:00Z', null],
    // The hour that is left out, and the one that comes twice: an hour of maintenance each.
    ['30 2 * * *', 3_600_000, '2027-03-28T01:10:00Z', '2027-03-28T02:00:00.000Z'],
    ['30 2 * * *', 3_600_000, '2027-03-28T02:10:00Z', null],
    ['30 2 * * *', 3_600_000, '2027-10-31T00:45:00Z', '2027-10-31T01:30:00.000Z'],
    ['30 2 * * *', 3_600_000, '2027-10-31T01:45:00Z', null],
    ['0 22 * * fri', 3 * 86_400_000, '2026-11-23T12:00:00Z', '2026-11-23T21:00:00.000Z'],
  ])('%s for %d ms at %s', (cron, durationMs, at, untilMs) => {
    expect(untilOf(cron, durationMs, at)).toBe(untilMs);
  });
});

test('a recurring window is near: the one that goes on, or the next', () => {
  const [plan] = planRecurring([
    { title: 'n', cron: '0 2 * * *', timeZone: 'UTC', durationMs: 3_600_000, services: [], tenants: [] },
  ]);
  if (!plan) throw new Error('no plan');
  expect(startNearMs(plan, AT(2, 30))).toBe(AT(2));
  expect(startNearMs(plan, AT(3))).toBe(AT(2) + 86_400_000);
});

describe('whom a window covers', () => {
  const active = (changes: Partial<ActiveWindow>): ActiveWindow => ({
    id: 'w',
    title: 'w',
    untilMs: 1,
    everyServer: false,
    services: new Set(['a']),
    tenants: null,
    ...changes,
  });
  test.each<[string, Partial<ActiveWindow>, boolean]>([
    ['named', {}, true],
    ['another', { services: new Set(['b']) }, false],
    ['all', { services: new Set(['*']), everyServer: true }, true],
    ['none', { services: new Set() }, false],
    ['its tenant', { tenants: new Set(['t']) }, true],
    ['another tenant', { everyServer: true, tenants: new Set(['u']) }, false],
  ])('%s', (_, changes, covered) => {
    expect(windowOf({ id: 'a', tenantId: 't' }, [active(changes)]) !== null).toBe(covered);
  });

  test('a server without a tenant is in no tenant’s window', () => {
    expect(windowOf({ id: 'a', tenantId: null }, [active({ tenants: new Set(['t']) })])).toBeNull();
  });

  test('of several the one that ends last, whatever their order', () => {
    const windows = [
      active({ id: 'x', untilMs: 5 }),
      active({ id: 'z', untilMs: null }),
      active({ id: 'y', untilMs: null }),
    ];
    expect(windowOf({ id: 'a', tenantId: null }, windows)?.id).toBe('y');
    expect(windowOf({ id: 'a', tenantId: null }, windows.toReversed())?.id).toBe('y');
  });
});
