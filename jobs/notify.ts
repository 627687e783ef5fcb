import type { AlertsConfig } from '../src/core/alerts/alerts-config.ts';
import { composeMaintenance, composeMessage } from '../src/core/alerts/compose-message.ts';
import type { KnownAlert } from '../src/core/alerts/known-alert.ts';
import { type PlanInput, planNotifications } from '../src/core/alerts/plan-notifications.ts';
import type { Suppressions } from '../src/core/alerts/reason-to-hold.ts';
import type { Database } from '../src/db/client.ts';
import { findDueChannels } from '../src/db/queries/deliveries.ts';
import { SHORT_TRANSACTION_SELECT } from '../src/db/queries/fragments.ts';
import { findAbandoned, giveUpDelivery, resolveFailures } from '../src/db/queries/give-up.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';
import { readWindowNews } from '../src/db/queries/maintenance-news.ts';
import {
  beginPlanning,
  insertDeliveries,
  type NewDelivery,
  readPlanInput,
  recordPlan,
} from '../src/db/queries/outbox.ts';
import type { JobQueue } from '../src/queue/backend.ts';
import {
  type DeliverJob,
  type DeliverResult,
  deliverJobId,
  type NotifyResult,
} from '../src/queue/definitions.ts';

type Tx = Pick<Database, 'execute' | 'transaction'>;

export interface NotifyDeps {
  db: Database;
  deliverQueue: Pick<JobQueue<DeliverJob, DeliverResult>, 'addBulk'>;
  alerts: () => AlertsConfig;
  /** Finds out which servers fail together, in the transaction that plans, before it does. */
  detectIncidents: (tx: Tx, nowMs: number) => Promise<unknown>;
  /** Which servers are muted now. */
  readSuppressions: (tx: Tx) => Promise<Suppressions>;
  /** Messages were given up whose channel nobody has configured for a day. */
  onAbandoned: (count: number) => void;
}

/** A window that ends and a server that comes back are nobody's entry: they are looked for. */
const LOOK_WHILE_HELD_MS = 2_000;
const LOOK_AT_LEAST_MS = 4_000;

/**
 * Turns what waits in the outbox into messages on the list of deliveries, and queues the sending of what is
 * due. Once in the cluster; also by whoever wants it sooner.
 */
export async function runNotify(deps: NotifyDeps): Promise<NotifyResult> {
  const planned = await plan(deps);
  const channels = [...deps.alerts().channels.keys()];
  if (planned !== null) await tidyUp(deps, channels);
  const due = await findDueChannels(deps.db, channels);
  // A job of its own for each channel: a slow one keeps nobody waiting but itself.
  await deps.deliverQueue.addBulk(
    due.map((channel) => ({
      name: 'deliver',
      data: { channel },
      opts: {
        jobId: deliverJobId(channel, Date.now()),
        removeOnComplete: true,
        removeOnFail: { count: 100 },
      },
    })),
  );
  return { planned: planned ?? 0, channels: due.length };
}

/** Channels that were taken out of the file: what still waits for them, and what was said of their trouble. */
async function tidyUp({ db, onAbandoned }: NotifyDeps, channels: readonly string[]): Promise<void> {
  const abandoned = await findAbandoned(db, channels);
  for (const id of abandoned) await giveUpDelivery(db, id, 'no channel of this name is configured');
  if (abandoned.length > 0) onAbandoned(abandoned.length);
  // A replica that has no file at all knows nothing of channels.
  if (channels.length > 0) await resolveFailures(db, channels);
}

/** null: nothing was to be planned, or another replica is at it. */
async function plan({ db, alerts, detectIncidents, readSuppressions }: NotifyDeps): Promise<number | null> {
  const startedAt = new Date();
  return await db.transaction(async (tx) => {
    await tx.execute(SHORT_TRANSACTION_SELECT);
    const turn = await beginPlanning(tx);
    if (!turn) return null;
    const { nowMs, wanted } = turn;
    if (!wanted) {
      await recordJobRun(tx, 'notify', startedAt, null);
      return null;
    }
    await detectIncidents(tx, nowMs);
    const config = alerts();
    const suppressions = await readSuppressions(tx);
    const input: PlanInput = { nowMs, config, suppressions, ...(await readPlanInput(tx, config)) };
    const decided = planNotifications(input);
    const announcements = await announceWindows(tx, config, nowMs);
    const added = await insertDeliveries(
      tx,
      [...messagesOf(input, decided.deliveries), ...announcements],
      nowMs,
    );
    await recordPlan(tx, decided, nowMs);
    const waits = input.entries.length > decided.done.length;
    const latestMs = nowMs + (waits ? LOOK_WHILE_HELD_MS : LOOK_AT_LEAST_MS);
    await recordJobRun(tx, 'notify', startedAt, {
      nextLookMs: Math.min(decided.nextLookMs ?? latestMs, latestMs),
    });
    return added;
  });
}

function messagesOf(
  { alerts, nowMs }: PlanInput,
  deliveries: ReturnType<typeof planNotifications>['deliveries'],
): NewDelivery[] {
  const byId = new Map(alerts.map((alert) => [alert.id, alert]));
  const members = new Map<string, KnownAlert[]>();
  for (const alert of alerts) {
    if (alert.incidentId !== null)
      members.set(alert.incidentId, [...(members.get(alert.incidentId) ?? []), alert]);
  }
  return deliveries.map((delivery) => ({
    ...delivery,
    message: composeMessage(delivery, byId, (id) => members.get(id) ?? [], nowMs),
    onceKey: null,
  }));
}

/** Maintenance windows tell the channels that they name; where none of those is known, the default ones. */
async function announceWindows(
  tx: Tx,
  { fallback, channels: known }: AlertsConfig,
  nowMs: number,
): Promise<NewDelivery[]> {
  const windows = await readWindowNews(tx);
  return windows.flatMap(({ channels, scheduledEndMs, ...window }) => {
    const named = Array.isArray(channels)
      ? channels.filter((channel): channel is string => typeof channel === 'string' && known.has(channel))
      : [];
    const told = named.length > 0 || window.phase === 'ended' ? named : fallback.channels;
    const groupKey = `maintenance:${window.id}`;
    const maintenance = { ...window, scheduledEnd: new Date(scheduledEndMs).toISOString() };
    return [...new Set(told)].map((channel) => ({
      channel,
      groupKey,
      transitions: [],
      message: composeMaintenance(maintenance, groupKey, nowMs),
      onceKey: `maintenance:${window.id}:${window.phase}:${channel}`,
    }));
  });
}
