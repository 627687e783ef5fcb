import { expect, test } from 'vitest';
import type { Cause, OwnState, Surroundings } from '../../../../src/core/health/context.ts';
import { columnsOf, showState } from '../../../../src/core/health/show-state.ts';

const UP: OwnState = { verdict: 'up', reason: 'ok', message: null };
const SLOW: OwnState = { verdict: 'degraded', reason: 'slow', message: 'slow' };
const DOWN: OwnState = { verdict: 'down', reason: 'refused', message: 'refused' };
const LOCKED: OwnState = { verdict: 'unauthenticated', reason: 'unauthenticated', message: '401' };
const OFFLINE: OwnState = { verdict: 'unknown', reason: 'monitor_offline', message: 'cut off' };

const cause = (type: Cause['type']): Surroundings => ({
  maintenance: null,
  cause: { serverId: 'x', name: 'X', type },
});
const window = (untilMs: number | null): Surroundings => ({
  maintenance: { id: 'w', title: 'W', untilMs },
  cause: null,
});
const NONE: Surroundings = { maintenance: null, cause: null };

test.each<[OwnState, Surroundings, string]>([
  [UP, NONE, 'up ok null'],
  [DOWN, NONE, 'down refused refused'],
  [UP, cause('required'), 'down dependency_down down because of X'],
  [DOWN, cause('required'), 'down dependency_down down because of X (by itself: refused)'],
  [LOCKED, cause('required'), 'down dependency_down down because of X (by itself: 401)'],
  [OFFLINE, cause('required'), 'down dependency_down down because of X'],
  [UP, cause('fallback'), 'down dependency_down down because of X, with no fallback left'],
  [UP, cause('optional'), 'degraded dependency_degraded degraded because of X'],
  [SLOW, cause('optional'), 'degraded slow slow'],
  [DOWN, cause('optional'), 'down refused refused'],
  [UP, window(0), 'maintenance maintenance in maintenance: W, until 1970-01-01T00:00:00.000Z'],
  [DOWN, window(null), 'maintenance maintenance in maintenance: W, until it is ended'],
  [
    DOWN,
    { ...cause('required'), ...window(null), cause: cause('required').cause },
    'maintenance maintenance in maintenance: W, until it is ended',
  ],
])('%j under %j', (own, around, expected) => {
  const { verdict, reason, message, becauseOf } = showState(own, around);
  expect(`${verdict} ${reason} ${message}`).toBe(expected);
  expect(becauseOf).toBe(reason.startsWith('dependency_') ? 'x' : null);
});

test.each<[OwnState, Surroundings, 'inactive' | 'maintenance' | null, string]>([
  [UP, NONE, null, 'active healthy'],
  [UP, window(1), null, 'maintenance healthy'],
  [UP, window(1), 'inactive', 'inactive healthy'],
  [UP, cause('required'), null, 'error unhealthy'],
  [UP, cause('required'), 'inactive', 'inactive unhealthy'],
  [UP, cause('optional'), null, 'active healthy'],
])('the columns of %j under %j, held %s: %s', (own, around, held, expected) => {
  const { status, health } = columnsOf(showState(own, around), { status: 'active', health: 'healthy' }, held);
  expect(`${status} ${health}`).toBe(expected);
});
