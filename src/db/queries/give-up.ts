import { sql } from 'drizzle-orm';
import { type Message, withoutAlerts } from '../../core/alerts/compose-message.ts';
import type { Database } from '../client.ts';
import { SHORT_TRANSACTION } from './fragments.ts';

type Tx = Pick<Database, 'execute'>;
interface Waiting extends Record<string, unknown> {
  id: string;
  channel: string;
  groupKey: string;
  seq: number;
  message: Message;
  transitions: { alertId: string; transition: string }[];
}

/**
 * Ends the attempts at a message. The channel then knows nothing of what began in it, so what waits behind it
 * does not speak of that any more; and a system_event says that a channel does not take messages, one for
 * each channel until it takes one again. False: it was accepted, or given up, by another.
 */
export async function giveUpDelivery(db: Database, id: string, problem: string): Promise<boolean> {
  return await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT ${SHORT_TRANSACTION}`);
    const [given] = await tx.execute<Waiting>(sql`
      UPDATE vitals.delivery SET failed_at = now(), lease_until = NULL, last_error = ${problem}
      WHERE id = ${id} AND sent_at IS NULL AND failed_at IS NULL
      RETURNING id, channel, group_key AS "groupKey", seq::float8 AS seq, message, transitions`);
    if (!given) return false;
    const began = given.transitions
      .filter(({ transition }) => transition === 'fire')
      .map(({ alertId }) => alertId);
    if (began.length > 0) {
      await tx.execute(sql`
        UPDATE vitals.told SET failed_at = now(), last_at = now()
        WHERE channel = ${given.channel}
          AND alert_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(began)}::jsonb)::uuid)`);
      await forgetBehind(tx, given, new Set(began));
    }
    await recordFailure(tx, given, problem);
    return true;
  });
}

/** What waits behind was never tried, since a group goes out in order: no attempt has said otherwise. */
async function forgetBehind(tx: Tx, given: Waiting, ids: ReadonlySet<string>): Promise<void> {
  const behind = await tx.execute<Waiting>(sql`
    SELECT id, channel, group_key AS "groupKey", seq::float8 AS seq, message, transitions FROM vitals.delivery
    WHERE channel = ${given.channel} AND group_key = ${given.groupKey} AND seq > ${given.seq}
      AND sent_at IS NULL AND failed_at IS NULL
    ORDER BY seq FOR UPDATE`);
  for (const { id, message, transitions } of behind) {
    const left = withoutAlerts(message, ids);
    const news = transitions.filter(({ alertId }) => !ids.has(alertId));
    await (left === null && news.length === 0
      ? tx.execute(sql`
          UPDATE vitals.delivery SET failed_at = now(), last_error = 'its beginning was never told' WHERE id = ${id}`)
      : tx.execute(sql`
          UPDATE vitals.delivery SET message = ${JSON.stringify(left ?? message)}::jsonb,
            transitions = ${JSON.stringify(news)}::jsonb
          WHERE id = ${id}`));
  }
}

async function recordFailure(tx: Tx, { channel, message }: Waiting, problem: string): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtext(${`vitals:channel:${channel}`}))`);
  await tx.execute(sql`
    INSERT INTO system_event (id, type, category, title, description, severity, source, resource_type, resource_id,
      data, status, occurred_at, created_at)
    SELECT gen_random_uuid(), 'notification_failed', 'system', ${`the channel ${channel} takes no messages`},
      ${`given up: ${message.subject} (${problem})`.slice(0, 2_000)}, 'error', 'mcp-vitals', 'alert_channel', ${channel},
      '{}'::json, 'active', now(), now()
    WHERE NOT EXISTS (SELECT 1 FROM system_event WHERE type = 'notification_failed' AND source = 'mcp-vitals'
      AND resource_id = ${channel} AND status IN ('active', 'acknowledged'))`);
}

/** A channel that was taken out of the file has no trouble any more. */
export async function resolveFailures(tx: Tx, channels: readonly string[]): Promise<void> {
  await tx.execute(sql`
    UPDATE system_event SET status = 'resolved', resolved_at = now(), resolved_by = 'mcp-vitals'
    WHERE type = 'notification_failed' AND source = 'mcp-vitals' AND status IN ('active', 'acknowledged')
      AND resource_id NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(channels)}::jsonb))`);
}

/** Messages to channels that nobody has configured for a day: they were taken out of the file. */
export async function findAbandoned(db: Tx, channels: readonly string[]): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    SELECT id FROM vitals.delivery
    WHERE sent_at IS NULL AND failed_at IS NULL AND created_at < now() - interval '1 day'
      AND channel NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(channels)}::jsonb))
    ORDER BY seq LIMIT 100`);
  return rows.map(({ id }) => id);
}
