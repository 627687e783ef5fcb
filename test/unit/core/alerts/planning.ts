import { type AlertsConfig, NO_ALERTS, type Route } from '../../../../src/core/alerts/alerts-config.ts';
import type { KnownAlert } from '../../../../src/core/alerts/known-alert.ts';
import type { PlanInput } from '../../../../src/core/alerts/plan-notifications.ts';

export const REPEAT_MS = 60_000;

/** An alert about the server of its name, since 0, firing. */
export const alertOf = (id: string, changes: Partial<KnownAlert> = {}): KnownAlert => ({
  id,
  key: `server_down:${id}`,
  kind: 'server_down',
  severity: 'error',
  server: { id, name: id, tags: [] },
  tenantId: null,
  title: `${id} is down`,
  description: null,
  data: {},
  startedAtMs: 0,
  resolvedAtMs: null,
  incidentId: null,
  ...changes,
});

export const anyMatch = { tenants: null, tags: null, severities: null, kinds: null, servers: null };

export const configOf = (
  fallback: Partial<AlertsConfig['fallback']> = {},
  routes: (Partial<Omit<Route, 'match'>> & { match?: Partial<Route['match']> })[] = [],
): Pick<AlertsConfig, 'routes' | 'fallback'> => {
  const base = {
    ...NO_ALERTS.fallback,
    channels: ['ops'],
    groupWaitMs: 0,
    groupIntervalMs: 0,
    repeatIntervalMs: REPEAT_MS,
    ...fallback,
  };
  return {
    fallback: base,
    routes: routes.map((route) => ({
      ...base,
      continue: false,
      ...route,
      match: { ...anyMatch, ...route.match },
    })),
  };
};

/** What there is to plan from: each alert with the entries that it would have. */
export function inputOf(nowMs: number, alerts: KnownAlert[], changes: Partial<PlanInput> = {}): PlanInput {
  const entries = alerts.flatMap((alert, index) => [
    {
      id: index * 2 + 1,
      alertId: alert.id,
      transition: 'fire' as const,
      createdAtMs: alert.startedAtMs,
      heldBecause: null,
    },
    ...(alert.resolvedAtMs === null
      ? []
      : [
          {
            id: index * 2 + 2,
            alertId: alert.id,
            transition: 'resolve' as const,
            createdAtMs: alert.resolvedAtMs,
            heldBecause: null,
          },
        ]),
  ]);
  return {
    nowMs,
    alerts,
    entries,
    told: [],
    groups: new Map(),
    suppressions: new Map(),
    config: configOf(),
    ...changes,
  };
}
