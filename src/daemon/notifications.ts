import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import { type DeliverDeps, runDeliver } from '../../jobs/deliver.ts';
import { type NotifyDeps, runNotify } from '../../jobs/notify.ts';
import type { AlertsConfig } from '../core/alerts/alerts-config.ts';
import type { Database } from '../db/client.ts';
import type { Metrics } from '../metrics/create-metrics.ts';
import { createChannel } from '../notify/create-channel.ts';
import type { QueueBackend } from '../queue/backend.ts';
import {
  type DeliverJob,
  type DeliverResult,
  KEEP,
  type NotifyJob,
  type NotifyResult,
  QUEUES,
} from '../queue/definitions.ts';
import { failJob } from './job-failure.ts';
import { withinMs } from './lifecycle.ts';
import type { ClusterJob } from './watchdog.ts';

export interface NotificationDeps {
  db: Database;
  backend: QueueBackend;
  alerts: () => AlertsConfig;
  metrics: Pick<Metrics, 'countNotification'>;
  logger: Logger;
  /** What is known of servers beside their alerts. */
  detectIncidents: NotifyDeps['detectIncidents'];
  readSuppressions: NotifyDeps['readSuppressions'];
}

export interface Notifications {
  /** The planning, once a second in the whole cluster. */
  job: ClusterJob;
  /** Something has changed: plans now rather than at the next tick. Never rejects. */
  kick(): void;
  /** Ends the attempts that are under way, cutting short those that take longer. */
  stop(): Promise<void>;
}

const EVERY_MS = 1_000;
/** Channels that are served at the same time by one process. */
const CHANNELS_AT_ONCE = 32;
/** What an attempt that is under way at a stop is given. */
const PATIENCE_MS = 3_000;

/** Planning and delivery of what the outbox holds. */
export async function startNotifications(deps: NotificationDeps): Promise<Notifications> {
  const { db, backend, logger } = deps;
  const notifyQueue = backend.queue<NotifyJob, NotifyResult>(QUEUES.notify);
  const deliverQueue = backend.queue<DeliverJob, DeliverResult>(QUEUES.deliver);
  const cut = new AbortController();
  // Every attempt listens to it.
  setMaxListeners(0, cut.signal);
  let takesMore = true;

  const delivering: DeliverDeps = {
    db,
    alerts: deps.alerts,
    createChannel,
    signal: cut.signal,
    takesMore: () => takesMore,
    onResult(result, { type, words, ...about }) {
      deps.metrics.countNotification(type, result);
      const fields = { ...about, type, said: words };
      if (result === 'accepted') logger.debug(fields, 'a channel accepted a message');
      else if (result === 'refused')
        logger.warn(fields, 'a channel did not take a message: it is tried again');
      else logger.error(fields, 'a message was given up');
    },
  };
  const deliverers = await backend.worker<DeliverJob, DeliverResult>(
    QUEUES.deliver,
    CHANNELS_AT_ONCE,
    (job) => runDeliver(delivering, job).catch(failJob(logger, 'deliver')),
  );
  const planners = await backend.worker<NotifyJob, NotifyResult>(QUEUES.notify, 1, () =>
    runNotify({
      ...deps,
      deliverQueue,
      onAbandoned: (count) =>
        logger.error({ count }, 'messages were given up: their channel is not configured any more'),
    }).catch(failJob(logger, 'notify')),
  );

  return {
    job: {
      name: 'notify',
      everyMs: EVERY_MS,
      schedule: () => notifyQueue.schedule('notify', EVERY_MS, { kick: false }),
    },
    kick() {
      notifyQueue
        .add('notify', { kick: true }, { ...KEEP, deduplication: { id: 'kick' } })
        .catch((error: Error) =>
          // The next tick does it all the same.
          logger.debug({ problem: error.message }, 'a notification could not be hastened'),
        );
    },
    async stop() {
      takesMore = false;
      await planners.close();
      const ended = deliverers.close();
      await withinMs('deliveries', PATIENCE_MS, () => ended).catch(() => cut.abort());
      await ended;
      await Promise.all([notifyQueue.close(), deliverQueue.close()]);
    },
  };
}
