import type { Surroundings } from '../health/context.ts';
import type { RecurringWindow } from '../policy.ts';
import { type Cron, parseCron } from './cron.ts';
import { lastOccurrence, nextOccurrence } from './occurrences.ts';

export const WINDOW_STATUSES = ['scheduled', 'in_progress', 'completed', 'cancelled', 'extended'] as const;
export type WindowStatus = (typeof WINDOW_STATUSES)[number];

/** A row of maintenance_window as it was read: the JSON columns may hold anything. */
export interface WindowRow {
  id: string;
  title: string;
  services: unknown;
  tenants: unknown;
  scheduledStartMs: number;
  scheduledEndMs: number;
  actualStartMs: number | null;
  actualEndMs: number | null;
  createdMs: number;
  status: string;
}

/** A maintenance that goes on now, and whom it concerns. */
export interface ActiveWindow {
  id: string;
  title: string;
  /** null: until somebody ends it. */
  untilMs: number | null;
  everyServer: boolean;
  services: ReadonlySet<string>;
  /** null: all. */
  tenants: ReadonlySet<string> | null;
}

/** Why a row cannot be used; null when it can. */
export function problemOf(row: WindowRow): string | null {
  if (!isTexts(row.services ?? [])) return 'affected_services is not a list of texts';
  if (!isTexts(row.tenants ?? [])) return 'affected_tenants is not a list of texts';
  if (!isTime(row.scheduledStartMs) || !isTime(row.scheduledEndMs))
    return 'its scheduled times are not times';
  if (![row.actualStartMs, row.actualEndMs].every((ms) => ms === null || isTime(ms)))
    return 'its actual times are not times';
  if (row.scheduledEndMs < row.scheduledStartMs) return 'it ends before it starts';
  if (row.actualStartMs !== null && row.actualEndMs !== null && row.actualEndMs < row.actualStartMs)
    return 'its actual end is before its actual start';
  if (!WINDOW_STATUSES.some((known) => known === row.status)) return `its status is ${row.status}`;
  return null;
}

/** A database knows infinity, and years that no calendar here reaches. */
const isTime = (ms: number): boolean => Math.abs(ms) <= 8.64e15;

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/**
 * When a row's maintenance begins and ends. A planned one keeps to its plan, unless it has begun or ended
 * otherwise; one that was extended goes on until somebody gives its actual end. null: it does not take place.
 */
export function spanOf(row: WindowRow): { fromMs: number; untilMs: number | null } | null {
  if (problemOf(row) !== null || row.status === 'cancelled' || row.status === 'completed') return null;
  const begun = row.status === 'in_progress' || row.status === 'extended';
  // A person who says that it has begun is believed, whatever was planned.
  const fromMs = row.actualStartMs ?? (begun ? Number.NEGATIVE_INFINITY : row.scheduledStartMs);
  const untilMs = row.actualEndMs ?? (row.status === 'extended' ? null : row.scheduledEndMs);
  return { fromMs, untilMs };
}

/** The window's own next step, when it is time for one: its new status and times. */
export function advanceWindow(
  row: WindowRow,
  nowMs: number,
): { status: WindowStatus; actualStartMs: number; actualEndMs: number | null } | null {
  const span = spanOf(row);
  if (span === null) return null;
  // A window that was entered late began when it was entered.
  const plannedStartMs = Math.max(row.scheduledStartMs, row.createdMs);
  if (span.untilMs !== null && nowMs >= span.untilMs) {
    const actualStartMs = row.actualStartMs ?? Math.min(plannedStartMs, span.untilMs);
    return {
      status: 'completed',
      actualStartMs,
      actualEndMs: row.actualEndMs ?? Math.max(span.untilMs, actualStartMs),
    };
  }
  if (nowMs < span.fromMs) return null;
  const planned = row.status === 'scheduled';
  if (!planned && row.actualStartMs !== null) return null;
  return {
    status: planned ? 'in_progress' : (row.status as WindowStatus),
    actualStartMs: row.actualStartMs ?? (planned ? plannedStartMs : Math.min(nowMs, plannedStartMs)),
    actualEndMs: row.actualEndMs,
  };
}

/** Recurring windows of the policy, taken apart once. */
export interface RecurringPlan {
  window: RecurringWindow;
  cron: Cron;
}

const plans = new WeakMap<readonly RecurringWindow[], RecurringPlan[]>();

/** Throws CronError for an expression that is none; the policy file is held to that when it is read. */
export function planRecurring(windows: readonly RecurringWindow[]): RecurringPlan[] {
  const known = plans.get(windows);
  if (known) return known;
  const made = windows.map((window) => ({ window, cron: parseCron(window.cron) }));
  plans.set(windows, made);
  return made;
}

/** All maintenance that goes on at `nowMs`. Rows that cannot be used are left out. */
export function activeWindows(
  rows: readonly WindowRow[],
  recurring: readonly RecurringPlan[],
  nowMs: number,
): ActiveWindow[] {
  const active: ActiveWindow[] = [];
  for (const row of rows) {
    const span = spanOf(row);
    if (span === null || nowMs < span.fromMs || (span.untilMs !== null && nowMs >= span.untilMs)) continue;
    const { id, title } = row;
    active.push({ id, title, untilMs: span.untilMs, ...coverOf(row.services, row.tenants) });
  }
  for (const { window, cron } of recurring) {
    const { durationMs, timeZone, title } = window;
    const startMs = lastOccurrence(cron, timeZone, nowMs - durationMs + 1, nowMs);
    if (startMs === null) continue;
    const id = recurringId(window);
    active.push({ id, title, untilMs: startMs + durationMs, ...coverOf(window.services, window.tenants) });
  }
  return active;
}

/** When a recurring window began that goes on, or else when it begins next; null for never. */
export function startNearMs({ window, cron }: RecurringPlan, nowMs: number): number | null {
  const { timeZone, durationMs } = window;
  return (
    lastOccurrence(cron, timeZone, nowMs - durationMs + 1, nowMs) ?? nextOccurrence(cron, timeZone, nowMs)
  );
}

export const recurringId = ({ title }: RecurringWindow): string => `recurring:${title}`;

function coverOf(services: unknown, tenants: unknown): Omit<ActiveWindow, 'id' | 'title' | 'untilMs'> {
  const named = isTexts(services) ? services : [];
  const ofTenants = isTexts(tenants) ? tenants : [];
  return {
    everyServer: named.includes('*'),
    services: new Set(named),
    tenants: ofTenants.length === 0 ? null : new Set(ofTenants),
  };
}

/** The maintenance that a server is in: of several, the one that ends last. */
export function windowOf(
  server: { id: string; tenantId: string | null },
  windows: readonly ActiveWindow[],
): Surroundings['maintenance'] {
  let last: ActiveWindow | null = null;
  for (const window of windows) {
    if (covers(window, server) && (last === null || endsLater(window, last))) last = window;
  }
  return last === null ? null : { id: last.id, title: last.title, untilMs: last.untilMs };
}

function covers(window: ActiveWindow, server: { id: string; tenantId: string | null }): boolean {
  if (!window.everyServer && !window.services.has(server.id)) return false;
  return window.tenants === null || (server.tenantId !== null && window.tenants.has(server.tenantId));
}

function endsLater(one: ActiveWindow, other: ActiveWindow): boolean {
  const ends = (window: ActiveWindow): number => window.untilMs ?? Number.POSITIVE_INFINITY;
  return ends(one) > ends(other) || (ends(one) === ends(other) && one.id < other.id);
}
