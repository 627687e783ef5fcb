import { type DeliverDeps, runDeliver } from '../../jobs/deliver.ts';
import { type NotifyDeps, runNotify } from '../../jobs/notify.ts';
import { type AlertsConfig, type ChannelConfig, NO_ALERTS } from '../../src/core/alerts/alerts-config.ts';
import type { Database } from '../../src/db/client.ts';
import { createChannel } from '../../src/notify/create-channel.ts';
import type { Job } from '../../src/queue/backend.ts';
import type { DeliverJob, DeliverResult } from '../../src/queue/definitions.ts';

/** Everything to these channels, at once. */
export const alertsTo = (
  channels: Record<string, ChannelConfig>,
  changes: Partial<AlertsConfig['fallback']> = {},
): AlertsConfig => ({
  ...NO_ALERTS,
  channels: new Map(Object.entries(channels)),
  fallback: {
    ...NO_ALERTS.fallback,
    channels: Object.keys(channels),
    groupWaitMs: 0,
    groupIntervalMs: 0,
    ...changes,
  },
});

export const webhookTo = (url: string, changes: Partial<ChannelConfig> = {}): ChannelConfig =>
  ({
    type: 'webhook',
    url,
    secret: null,
    headers: {},
    timeoutMs: 5_000,
    giveUpAfterMs: 86_400_000,
    ...changes,
  }) as ChannelConfig;

/** The two jobs without a queue between them: `tick` plans, and sends what is due to its end. */
export function createNotifier(
  db: Database,
  alerts: () => AlertsConfig,
  changes: Partial<NotifyDeps & DeliverDeps> = {},
) {
  const results: { result: string; channel: string; words: string }[] = [];
  const sending = new Set<Promise<unknown>>();
  const deliver: DeliverDeps = {
    db,
    alerts,
    createChannel,
    signal: new AbortController().signal,
    takesMore: () => true,
    onResult: (result, { channel, words }) => void results.push({ result, channel, words }),
    ...changes,
  };
  const notify: NotifyDeps = {
    db,
    alerts,
    detectIncidents: async () => undefined,
    readSuppressions: async () => new Map(),
    onAbandoned: () => undefined,
    deliverQueue: {
      async addBulk(jobs) {
        for (const { data } of jobs) {
          const run: Promise<unknown> = runDeliver(deliver, { data } as Job<DeliverJob, DeliverResult>);
          const kept = run.finally(() => sending.delete(kept));
          sending.add(kept);
        }
        return [];
      },
    },
    ...changes,
  };
  return {
    results,
    /** Plans, and begins to send. */
    plan: () => runNotify(notify),
    /** Until all that was begun is sent. */
    async settle() {
      while (sending.size > 0) await Promise.all(sending);
    },
    async tick() {
      await runNotify(notify);
      await this.settle();
    },
  };
}
