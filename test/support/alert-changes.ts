import type { AlertChange, AlertKind } from '../../src/core/alerts/alert.ts';
import { alertKey } from '../../src/core/alerts/alert.ts';

/** The beginning of an alert about a server. */
export const fire = (
  serverId: string | null,
  changes: Partial<Extract<AlertChange, { action: 'fire' }>> = {},
  kind: AlertKind = 'server_down',
): AlertChange => ({
  action: 'fire',
  kind,
  key: alertKey(kind, serverId ?? 'all'),
  severity: 'error',
  serverId,
  tenantId: null,
  title: `${serverId} is down`,
  description: null,
  data: {},
  atMs: Date.now(),
  ...changes,
});

export const resolve = (serverId: string | null, kind: AlertKind = 'server_down'): AlertChange => ({
  action: 'resolve',
  key: alertKey(kind, serverId ?? 'all'),
  atMs: Date.now(),
});
