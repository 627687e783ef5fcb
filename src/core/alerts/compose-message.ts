import type { AlertKind, Severity } from './alert.ts';
import type { KnownAlert, Transition } from './known-alert.ts';
import { plainText } from './plain-text.ts';
import type { PlannedDelivery } from './plan-notifications.ts';

/** One alert in a message, as it was when the message was planned. Times are ISO 8601. */
export interface AlertNews {
  id: string;
  key: string;
  kind: AlertKind;
  severity: Severity;
  /** What is new: it began, it is over, or nothing but that it still fires. */
  change: Transition;
  state: 'firing' | 'resolved';
  title: string;
  description: string | null;
  server: { id: string; name: string } | null;
  tenantId: string | null;
  startedAt: string;
  resolvedAt: string | null;
  /** Of an incident: the servers in it, at most a hundred. */
  members: { id: string; name: string }[];
  data: Record<string, unknown>;
}

export interface MaintenanceNews {
  id: string;
  title: string;
  description: string | null;
  phase: 'started' | 'ended';
  impact: string;
  /** Until when it is planned to last. */
  scheduledEnd: string;
}

/**
 * What a delivery says. It is stored with the delivery, so that every attempt says the same, whatever has
 * become of the alerts meanwhile.
 */
export interface Message {
  version: 1;
  kind: 'alerts' | 'maintenance' | 'test';
  /** One line for people. */
  subject: string;
  groupKey: string;
  createdAt: string;
  /** A receiver that forgets may forget what fires from then on. */
  freshUntil: string;
  alerts: AlertNews[];
  maintenance: MaintenanceNews | null;
}

const MOST_MEMBERS = 100;
const LONGEST_DATA = 16_384;
const LONGEST_TEXT = 4_000;
const LONGEST_NAME = 200;
/** More than two repeats: one that is late must not look like an end. */
const FRESH_REPEATS = 2.5;

const isoOf = (ms: number): string => new Date(ms).toISOString();

export function composeMessage(
  delivery: Pick<PlannedDelivery, 'groupKey' | 'transitions' | 'repeatIntervalMs'>,
  alerts: ReadonlyMap<string, KnownAlert>,
  membersOf: (alertId: string) => readonly KnownAlert[],
  nowMs: number,
): Message {
  const news = delivery.transitions.flatMap(({ alertId, transition }) => {
    const alert = alerts.get(alertId);
    return alert ? [newsOf(alert, transition, membersOf(alertId))] : [];
  });
  return {
    version: 1,
    kind: 'alerts',
    subject: subjectOf(news),
    groupKey: delivery.groupKey,
    createdAt: isoOf(nowMs),
    freshUntil: isoOf(nowMs + Math.ceil(delivery.repeatIntervalMs * FRESH_REPEATS)),
    alerts: news,
    maintenance: null,
  };
}

function newsOf(alert: KnownAlert, change: Transition, members: readonly KnownAlert[]): AlertNews {
  const { id, key, kind, severity, server, tenantId, startedAtMs, resolvedAtMs } = alert;
  const servers = new Map(
    members.flatMap((member) => (member.server ? [[member.server.id, member.server]] : [])),
  );
  return {
    id,
    key,
    kind,
    severity,
    change,
    state: change === 'resolve' ? 'resolved' : 'firing',
    title: cut(alert.title),
    description: alert.description === null ? null : cut(alert.description),
    server: server && named(server),
    tenantId,
    startedAt: isoOf(startedAtMs),
    resolvedAt: resolvedAtMs === null ? null : isoOf(resolvedAtMs),
    members: [...servers.values()].slice(0, MOST_MEMBERS).map(named),
    // What is known of a drift can be long, and receivers have limits.
    data: JSON.stringify(alert.data).length <= LONGEST_DATA ? alert.data : {},
  };
}

function cut(text: string, most = LONGEST_TEXT): string {
  return plainText(text.length <= most ? text : `${text.slice(0, most)} …`);
}

const named = ({ id, name }: { id: string; name: string }) => ({ id, name: cut(name, LONGEST_NAME) });

/** FIRING for what began or goes on, RESOLVED when all of it is over. */
export function subjectOf(news: readonly Pick<AlertNews, 'state' | 'title'>[]): string {
  const firing = news.filter(({ state }) => state === 'firing');
  const shown = firing.length > 0 ? firing : news;
  const [first] = shown;
  const more = news.length > 1 ? ` (and ${news.length - 1} more)` : '';
  return `[${firing.length > 0 ? 'FIRING' : 'RESOLVED'}] ${oneLine(first?.title ?? 'nothing')}${more}`;
}

/** Titles may hold what a server sent; a line break in a subject would begin a header. */
const oneLine = (text: string): string => plainText(text.slice(0, 200)).replaceAll('\n', ' ');

/** The message without what it says of these alerts; null when nothing is left. */
export function withoutAlerts(message: Message, ids: ReadonlySet<string>): Message | null {
  const alerts = message.alerts.filter(({ id }) => !ids.has(id));
  return alerts.length === 0 ? null : { ...message, alerts, subject: subjectOf(alerts) };
}

/** The announcement of a maintenance window. */
export function composeMaintenance(maintenance: MaintenanceNews, groupKey: string, nowMs: number): Message {
  return {
    version: 1,
    kind: 'maintenance',
    subject: `[MAINTENANCE] ${oneLine(maintenance.title)} has ${maintenance.phase === 'started' ? 'begun' : 'ended'}`,
    groupKey,
    createdAt: isoOf(nowMs),
    freshUntil: maintenance.scheduledEnd,
    alerts: [],
    maintenance,
  };
}

/** What `alerts test` sends. */
export function composeTest(channel: string, nowMs: number): Message {
  return {
    version: 1,
    kind: 'test',
    subject: `[TEST] mcp-vitals can tell the channel ${oneLine(channel)}`,
    groupKey: 'test',
    createdAt: isoOf(nowMs),
    freshUntil: isoOf(nowMs + 60_000),
    alerts: [],
    maintenance: null,
  };
}
