import type { AlertKind } from './alert.ts';
import type { KnownAlert } from './known-alert.ts';

/** Why somebody is not told of an alert, or not yet. Stored with what waits, and shown by `alerts list`. */
export const HOLD_REASONS = [
  /** It waits for others of its group. */
  'grouping',
  /** Its server is in maintenance. */
  'maintenance',
  /** Another server explains it. */
  'dependency',
  /** An incident speaks for it. */
  'incident',
  /** Its server flaps, and the alert of that speaks for it. */
  'flapping',
  /** It was over before anybody was told. */
  'over_before_told',
  /** No route leads to a channel. */
  'no_route',
] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

/** Why a server's alerts are muted; `by` is the window or the other server. */
export interface Suppression {
  because: 'maintenance' | 'dependency';
  by: string;
}

/** By server id. */
export type Suppressions = ReadonlyMap<string, Suppression>;

/** What is said of a server's state, as against what it offers: only that has other servers for a cause. */
const OF_STATE: ReadonlySet<AlertKind> = new Set([
  'server_down',
  'server_unauthenticated',
  'server_degraded',
  'slo_burn',
]);
/** What changes with every turn of a server that flaps. */
const FLAPS: ReadonlySet<AlertKind> = new Set(['server_down', 'server_unauthenticated', 'server_degraded']);

export interface HoldContext {
  suppressions: Suppressions;
  /** The servers of which a server_flapping alert fires. */
  flapping: ReadonlySet<string>;
}

/** Why nobody may be told of a firing alert now; null when they may. */
export function reasonToHold(alert: KnownAlert, context: HoldContext): HoldReason | null {
  if (!alert.server) return null;
  const suppression = context.suppressions.get(alert.server.id);
  if (suppression?.because === 'maintenance') return 'maintenance';
  if (suppression?.because === 'dependency' && OF_STATE.has(alert.kind)) return 'dependency';
  return isOneOfMany(alert, context) ? 'flapping' : null;
}

/** Whether a server_flapping alert speaks for this one: also its end is then noise until that is over. */
export function isOneOfMany(alert: KnownAlert, { flapping }: Pick<HoldContext, 'flapping'>): boolean {
  return alert.server !== null && FLAPS.has(alert.kind) && flapping.has(alert.server.id);
}
