import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertsConfig, ChannelConfig } from '../src/core/alerts/alerts-config.ts';
import { decideRetry } from '../src/core/alerts/decide-retry.ts';
import { redactSecrets, secretsOfChannel } from '../src/core/alerts/secrets-of.ts';
import type { Database } from '../src/db/client.ts';
import {
  type ClaimedDelivery,
  claimDeliveries,
  postponeDelivery,
  recordAccepted,
  releaseDelivery,
} from '../src/db/queries/deliveries.ts';
import { giveUpDelivery } from '../src/db/queries/give-up.ts';
import type { Channel, Sent } from '../src/notify/channel.ts';
import type { Job } from '../src/queue/backend.ts';
import { type DeliverJob, type DeliverResult, deliverJobSchema } from '../src/queue/definitions.ts';

export type DeliveryResult = 'accepted' | 'refused' | 'given_up';

export interface DeliverDeps {
  db: Database;
  alerts: () => AlertsConfig;
  createChannel: (config: ChannelConfig) => Channel;
  /** Aborted when the daemon will not wait for attempts any longer. */
  signal: AbortSignal;
  /** False once the daemon is ending: what is under way may end, and nothing more is begun. */
  takesMore: () => boolean;
  onResult: (
    result: DeliveryResult,
    about: { channel: string; type: ChannelConfig['type']; id: string; words: string },
  ) => void;
}

/** Messages of one channel in flight at a time, over all replicas. */
const AT_ONCE = 4;
/** Beyond the attempt itself: noting what came of it. */
const LEASE_GRACE_MS = 20_000;
/** A job that goes on for ever would keep a stop waiting; the next tick has another. */
const LONGEST_RUN_MS = 20_000;

/** Sends what is due to one channel, in order within each group, until nothing is. */
export async function runDeliver(
  deps: DeliverDeps,
  job: Job<DeliverJob, DeliverResult>,
): Promise<DeliverResult> {
  const { channel } = deliverJobSchema.parse(job.data);
  const deadline = performance.now() + LONGEST_RUN_MS;
  let attempts = 0;
  while (performance.now() < deadline && deps.takesMore()) {
    // Asked anew each time: the file may have changed, and then the channel with it.
    const config = deps.alerts().channels.get(channel);
    if (!config) break;
    const claimed = await claimDeliveries(deps.db, {
      channel,
      atOnce: AT_ONCE,
      leaseMs: config.timeoutMs + LEASE_GRACE_MS,
    });
    if (claimed.length === 0) break;
    attempts += claimed.length;
    const sending = await Promise.allSettled(
      claimed.map((delivery) => sendOne(deps, channel, config, delivery)),
    );
    const failed = sending.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
  return { attempts };
}

async function sendOne(
  deps: DeliverDeps,
  channel: string,
  config: ChannelConfig,
  delivery: ClaimedDelivery,
): Promise<void> {
  const { db, onResult } = deps;
  const about = { channel, type: config.type, id: delivery.id };
  const sent = await attempt(deps, config, delivery);
  const say = (words: string) => redactSecrets(words, secretsOfChannel(config));
  if (sent === null) return await releaseDelivery(db, delivery);
  if (sent.state === 'accepted') {
    await recordSurely(deps, { id: delivery.id, channel });
    return onResult('accepted', { ...about, words: say(sent.answer) });
  }
  const problem = say(sent.problem);
  const retry = decideRetry(sent, {
    ...delivery,
    giveUpAfterMs: config.giveUpAfterMs,
    random: Math.random(),
  });
  if (retry) {
    await postponeDelivery(db, delivery, { delayMs: retry.afterMs, problem });
    return onResult('refused', { ...about, words: problem });
  }
  if (await giveUpDelivery(db, delivery.id, problem)) onResult('given_up', { ...about, words: problem });
}

/** null: it was cut short by the daemon's end, and nobody knows what became of it. */
async function attempt(
  { createChannel, signal }: DeliverDeps,
  config: ChannelConfig,
  delivery: ClaimedDelivery,
): Promise<Sent | null> {
  const late = AbortSignal.timeout(config.timeoutMs);
  try {
    return await createChannel(config).send(delivery.message, {
      idempotencyKey: delivery.id,
      signal: AbortSignal.any([signal, late]),
      nowMs: Date.now(),
    });
  } catch (error) {
    if (signal.aborted) return null;
    const problem = late.aborted
      ? `no answer within ${config.timeoutMs} ms`
      : error instanceof Error
        ? error.message
        : String(error);
    return { state: 'refused', problem, permanent: false, retryAfterMs: null };
  }
}

/** What was accepted and is not noted is sent again: the noting is worth some patience. */
async function recordSurely(
  { db, signal }: DeliverDeps,
  accepted: { id: string; channel: string },
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await recordAccepted(db, accepted);
    } catch (error) {
      if (tries >= 5 || signal.aborted) throw error;
      await sleep(200 * tries);
    }
  }
}
