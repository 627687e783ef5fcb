import type { AlertsConfig, Delivering } from './alerts-config.ts';
import type { KnownAlert, Transition } from './known-alert.ts';
import {
  HOLD_REASONS,
  type HoldReason,
  isOneOfMany,
  reasonToHold,
  type Suppressions,
} from './reason-to-hold.ts';
import { type Target, targetsOf } from './route-alert.ts';

/** A transition that waits to be told. */
export interface OutboxEntry {
  id: number;
  alertId: string;
  transition: 'fire' | 'resolve';
  createdAtMs: number;
  heldBecause: string | null;
}

/** What a channel knows of an alert, or will know once it accepts what is on its way. */
export interface Told {
  alertId: string;
  channel: string;
  /** The group in which it was told of the beginning, and will be of the end. */
  groupKey: string;
  /** When it accepted a message about the alert last, or was given up. */
  lastAtMs: number;
  resolved: boolean;
  /** It never accepted the beginning: it knows nothing. */
  failed: boolean;
}

export interface GroupState {
  /** When a message of the group was planned last. */
  lastAtMs: number;
  /** One has not been accepted yet. */
  waiting: boolean;
}

export interface PlanInput {
  nowMs: number;
  /** All that fire, and all that an entry is about. */
  alerts: readonly KnownAlert[];
  entries: readonly OutboxEntry[];
  told: readonly Told[];
  /** By `groupId`. */
  groups: ReadonlyMap<string, GroupState>;
  suppressions: Suppressions;
  config: Pick<AlertsConfig, 'routes' | 'fallback'>;
}

export interface PlannedDelivery {
  channel: string;
  groupKey: string;
  transitions: { alertId: string; transition: Transition }[];
  /** How long a receiver that forgets should remember what fires. */
  repeatIntervalMs: number;
}

export interface Plan {
  deliveries: PlannedDelivery[];
  /** Entries that need no further look; `because` says why nobody was told, null when somebody was. */
  done: { id: number; because: HoldReason | null }[];
  /** Entries whose reason to wait is another than before. */
  held: { id: number; because: HoldReason }[];
  /** When something is due by itself; null when nothing is before the next change. */
  nextLookMs: number | null;
}

/** Where a group's state is found. */
export const groupId = (channel: string, groupKey: string): string => JSON.stringify([channel, groupKey]);

/** A message of more alerts is cut into several: receivers have limits. */
const MOST_IN_ONE = 50;

interface Pending {
  alert: KnownAlert;
  transition: Transition;
  channel: string;
  groupKey: string;
  timing: Delivering;
  /** Since when it could have been told. */
  sinceMs: number;
}

/** What is to become of one alert now. */
interface Outlook {
  alert: KnownAlert;
  pending: Pending[];
  /** Why some or all of it may not be told now. */
  hold: HoldReason | null;
  targets: readonly Target[];
  told: readonly Told[];
}

/**
 * Decides from what waits, what fires and what channels know already which messages go out now. Looks at
 * states and not only at entries, so that a channel that a route gained, a window that ended or a message
 * that was given up are caught up with. Nothing is decided twice: the caller stores the plan in the
 * transaction that read the input.
 */
export function planNotifications(input: PlanInput): Plan {
  const outlooks = lookAtAlerts(input);
  const { due, nextMs } = splitByTime(
    [...outlooks.values()].flatMap(({ pending }) => pending),
    input,
  );
  const told = new Set(due.map(({ alert, channel }) => JSON.stringify([alert.id, channel])));
  const plan: Plan = { deliveries: bundle(due), done: [], held: [], nextLookMs: nextMs };
  for (const entry of input.entries) {
    const outlook = outlooks.get(entry.alertId);
    const verdict = outlook
      ? judgeEntry(entry, outlook, (channel) => told.has(JSON.stringify([entry.alertId, channel])))
      : { done: true, because: null };
    if (verdict.done) plan.done.push({ id: entry.id, because: verdict.because });
    else if (verdict.because !== null && verdict.because !== entry.heldBecause)
      plan.held.push({ id: entry.id, because: verdict.because });
  }
  return plan;
}

/** The groups whose state a plan of these alerts asks for. */
export function concernedGroups({
  alerts,
  told,
  config,
}: Pick<PlanInput, 'alerts' | 'told' | 'config'>): { channel: string; groupKey: string }[] {
  const membersOf = groupBy(alerts, ({ incidentId }) => incidentId ?? '');
  const groups = new Map<string, { channel: string; groupKey: string }>();
  const routed = alerts.flatMap((alert) => targetsOf(alert, membersOf.get(alert.id) ?? [], config));
  for (const { channel, groupKey } of [...routed, ...told])
    groups.set(groupId(channel, groupKey), { channel, groupKey });
  return [...groups.values()];
}

function lookAtAlerts(input: PlanInput): Map<string, Outlook> {
  const toldOf = groupBy(input.told, ({ alertId }) => alertId);
  const entriesOf = groupBy(input.entries, ({ alertId }) => alertId);
  const membersOf = groupBy(input.alerts, ({ incidentId }) => incidentId ?? '');
  const firing = input.alerts.filter(({ resolvedAtMs }) => resolvedAtMs === null);
  const flapping = new Set(
    firing.flatMap(({ kind, server }) => (kind === 'server_flapping' && server ? [server.id] : [])),
  );
  const targets = (alert: KnownAlert) => targetsOf(alert, membersOf.get(alert.id) ?? [], input.config);
  const spokenFor = new Map(
    firing
      .filter(({ kind }) => kind === 'incident')
      .map((incident) => [incident.id, new Set(targets(incident).map(({ channel }) => channel))]),
  );
  const outlooks = new Map<string, Outlook>();
  for (const alert of input.alerts) {
    const told = toldOf.get(alert.id) ?? [];
    const look = { alert, told, targets: targets(alert), entries: entriesOf.get(alert.id) ?? [], input };
    outlooks.set(
      alert.id,
      alert.resolvedAtMs === null
        ? lookAtFiring(look, { flapping, spokenFor: spokenFor.get(alert.incidentId ?? '') })
        : lookAtResolved(look, { flapping }),
    );
  }
  return outlooks;
}

interface Look {
  alert: KnownAlert;
  told: readonly Told[];
  targets: Target[];
  entries: readonly OutboxEntry[];
  input: PlanInput;
}

function lookAtFiring(
  { alert, told, targets, entries, input }: Look,
  { flapping, spokenFor }: { flapping: ReadonlySet<string>; spokenFor: ReadonlySet<string> | undefined },
): Outlook {
  const hold = reasonToHold(alert, { suppressions: input.suppressions, flapping });
  if (hold) return { alert, pending: [], hold, targets, told };
  // Only where its incident is told of, too: each channel is to hear of it in one way or the other.
  const open = targets.filter(({ channel }) => !spokenFor?.has(channel));
  const sinceMs = entries.find(({ transition }) => transition === 'fire')?.createdAtMs ?? alert.startedAtMs;
  const pending = open.flatMap((target): Pending[] => {
    const known = told.find(({ channel }) => channel === target.channel);
    if (!known) return [{ ...target, alert, transition: 'fire', sinceMs }];
    if (input.groups.get(groupId(known.channel, known.groupKey))?.waiting) return [];
    return [
      {
        ...target,
        alert,
        groupKey: known.groupKey,
        transition: known.failed ? 'fire' : 'repeat',
        sinceMs: known.lastAtMs + target.timing.repeatIntervalMs,
      },
    ];
  });
  return { alert, pending, hold: open.length < targets.length ? 'incident' : null, targets, told };
}

function lookAtResolved(
  { alert, told, targets, entries, input }: Look,
  context: { flapping: ReadonlySet<string> },
): Outlook {
  const toldOfStart = told.filter(({ failed, resolved }) => !failed && !resolved);
  if (toldOfStart.length > 0 && isOneOfMany(alert, context))
    return { alert, pending: [], hold: 'flapping', targets, told };
  const sinceMs =
    entries.find(({ transition }) => transition === 'resolve')?.createdAtMs ?? alert.resolvedAtMs ?? 0;
  const pending = toldOfStart.flatMap(({ channel, groupKey }): Pending[] => {
    const timing = targets.find((target) => target.channel === channel)?.timing ?? input.config.fallback;
    return timing.sendResolved ? [{ alert, transition: 'resolve', channel, groupKey, timing, sinceMs }] : [];
  });
  return { alert, pending, hold: null, targets, told };
}

/** A group goes out as a whole: when the first of it has waited long enough, and the last message is long enough ago. */
function splitByTime(
  pending: readonly Pending[],
  { nowMs, groups }: PlanInput,
): { due: Pending[]; nextMs: number | null } {
  const due: Pending[] = [];
  let nextMs: number | null = null;
  const byGroup = groupBy(pending, ({ channel, groupKey }) => groupId(channel, groupKey));
  for (const [id, items] of byGroup) {
    const lastMs = groups.get(id)?.lastAtMs;
    const ready = items.filter(({ sinceMs }) => sinceMs <= nowMs);
    const at = (item: Pending): number =>
      Math.max(
        // What is told again has waited for long enough already.
        item.sinceMs + (item.transition === 'repeat' ? 0 : item.timing.groupWaitMs),
        lastMs === undefined ? 0 : lastMs + item.timing.groupIntervalMs,
      );
    const soonestMs = Math.min(...items.map(at));
    if (soonestMs <= nowMs) due.push(...ready);
    const later = soonestMs <= nowMs ? items.filter(({ sinceMs }) => sinceMs > nowMs).map(at) : [soonestMs];
    for (const ms of later) nextMs = Math.min(nextMs ?? ms, ms);
  }
  return { due, nextMs };
}

/** What goes out together, what is over first: a new outage of a server comes behind the end of the last. */
function bundle(due: readonly Pending[]): PlannedDelivery[] {
  const order: Readonly<Record<Transition, number>> = { resolve: 0, fire: 1, repeat: 2 };
  const deliveries: PlannedDelivery[] = [];
  for (const items of groupBy(due, ({ channel, groupKey }) => groupId(channel, groupKey)).values()) {
    const sorted = [...items].sort(
      (one, other) =>
        order[one.transition] - order[other.transition] ||
        one.sinceMs - other.sinceMs ||
        (one.alert.id < other.alert.id ? -1 : 1),
    );
    for (let from = 0; from < sorted.length; from += MOST_IN_ONE) {
      const part = sorted.slice(from, from + MOST_IN_ONE);
      const [first] = part;
      if (!first) continue;
      deliveries.push({
        channel: first.channel,
        groupKey: first.groupKey,
        transitions: part.map(({ alert, transition }) => ({ alertId: alert.id, transition })),
        repeatIntervalMs: Math.max(...part.map(({ timing }) => timing.repeatIntervalMs)),
      });
    }
  }
  return deliveries;
}

/** Whether an entry is done with, and why it waits or was told to nobody. */
function judgeEntry(
  entry: OutboxEntry,
  { alert, pending, hold, targets, told }: Outlook,
  isToldNow: (channel: string) => boolean,
): { done: boolean; because: HoldReason | null } {
  const isOver = alert.resolvedAtMs !== null;
  if (hold !== null && (entry.transition === 'resolve' || !isOver)) return { done: false, because: hold };
  if (entry.transition === 'fire' && !isOver) {
    if (targets.length === 0) return { done: true, because: 'no_route' };
    // One that was given up is tried again in its time, which is nothing to wait for.
    const unknowing = targets.filter(
      ({ channel }) => !isToldNow(channel) && !told.some((known) => known.channel === channel),
    );
    return unknowing.length > 0 ? { done: false, because: 'grouping' } : { done: true, because: null };
  }
  if (entry.transition === 'resolve' && pending.some(({ channel }) => !isToldNow(channel)))
    return { done: false, because: 'grouping' };
  if (told.some(({ failed }) => !failed)) return { done: true, because: null };
  const heldBy = HOLD_REASONS.find((reason) => reason === entry.heldBecause && reason !== 'grouping');
  return { done: true, because: heldBy ?? 'over_before_told' };
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
