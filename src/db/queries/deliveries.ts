import { sql } from 'drizzle-orm';
import type { Message } from '../../core/alerts/compose-message.ts';
import type { Database } from '../client.ts';
import { SHORT_TRANSACTION } from './fragments.ts';

type Tx = Pick<Database, 'execute'>;

export interface ClaimedDelivery {
  /** The idempotency key. */
  id: string;
  message: Message;
  /** This one counted. */
  attempts: number;
  ageMs: number;
}

/** Not accepted and not given up, due, and nobody is at it (d: delivery). */
const CLAIMABLE = sql`d.sent_at IS NULL AND d.failed_at IS NULL AND d.next_attempt_at <= now()
  AND (d.lease_until IS NULL OR d.lease_until < now())
  -- One after the other within a group: an end never overtakes its beginning.
  AND NOT EXISTS (
    SELECT 1 FROM vitals.delivery e
    WHERE e.channel = d.channel AND e.group_key = d.group_key AND e.seq < d.seq
      AND e.sent_at IS NULL AND e.failed_at IS NULL
  )`;

/** The channels, of those given, that have something to be sent now. */
export async function findDueChannels(db: Tx, channels: readonly string[]): Promise<string[]> {
  const rows = await db.execute<{ channel: string }>(sql`
    SELECT DISTINCT d.channel FROM vitals.delivery d
    WHERE d.channel IN (SELECT jsonb_array_elements_text(${JSON.stringify(channels)}::jsonb)) AND ${CLAIMABLE}`);
  return rows.map(({ channel }) => channel);
}

/**
 * Takes messages of one channel for sending, those that wait longest first, at most as many as leave
 * `atOnce` in flight over all replicas. A claim that its holder never comes back from ends with the lease.
 */
export async function claimDeliveries(
  db: Tx,
  { channel, atOnce, leaseMs }: { channel: string; atOnce: number; leaseMs: number },
): Promise<ClaimedDelivery[]> {
  return [
    ...(await db.execute<ClaimedDelivery & Record<string, unknown>>(sql`
      WITH due AS (
        SELECT d.id FROM vitals.delivery d
        WHERE d.channel = ${channel} AND ${CLAIMABLE}
        ORDER BY d.seq
        LIMIT greatest(0, ${atOnce} - (
          SELECT count(*) FROM vitals.delivery f
          WHERE f.channel = ${channel} AND f.sent_at IS NULL AND f.failed_at IS NULL AND f.lease_until > now()))
        FOR UPDATE SKIP LOCKED
      )
      UPDATE vitals.delivery d
      SET lease_until = now() + ${leaseMs} * interval '1 millisecond', attempts = d.attempts + 1
      FROM due WHERE due.id = d.id
      RETURNING d.id, d.message, d.attempts,
        (extract(epoch FROM now() - d.created_at) * 1000)::float8 AS "ageMs"`)),
  ];
}

/** A claim whose lease ran out may be another's by now. */
const isStillOurs = ({ id, attempts }: Pick<ClaimedDelivery, 'id' | 'attempts'>) =>
  sql`d.id = ${id} AND d.attempts = ${attempts} AND d.sent_at IS NULL AND d.failed_at IS NULL`;

/** Gives a claim back that was cut short: the next attempt is due at once, and says the same. */
export async function releaseDelivery(
  db: Tx,
  claim: Pick<ClaimedDelivery, 'id' | 'attempts'>,
): Promise<void> {
  await db.execute(sql`
    UPDATE vitals.delivery d SET lease_until = NULL WHERE ${isStillOurs(claim)}`);
}

/** Puts the next attempt off. */
export async function postponeDelivery(
  db: Tx,
  claim: Pick<ClaimedDelivery, 'id' | 'attempts'>,
  { delayMs, problem }: { delayMs: number; problem: string },
): Promise<void> {
  await db.execute(sql`
    UPDATE vitals.delivery d SET lease_until = NULL, last_error = ${problem},
      next_attempt_at = now() + ${delayMs} * interval '1 millisecond'
    WHERE ${isStillOurs(claim)}`);
}

/** A gateway's column may hold anything: only a list is added to. */
const withChannel = (column: string, channel: string) => sql`(
  SELECT CASE WHEN known.list @> to_jsonb(${channel}::text) THEN known.list ELSE known.list || to_jsonb(${channel}::text) END::json
  FROM (SELECT CASE WHEN json_typeof(${sql.raw(column)}) = 'array' THEN ${sql.raw(column)}::jsonb ELSE '[]'::jsonb END AS list) known)`;

/**
 * Notes that the channel has accepted a message, in one transaction: the delivery, what the channel knows,
 * the events or the maintenance window that were told of, and that the channel works.
 */
export async function recordAccepted(
  db: Database,
  { id, channel }: { id: string; channel: string },
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT ${SHORT_TRANSACTION}`);
    const [sent] = await tx.execute<{ maintenance: string | null }>(sql`
      UPDATE vitals.delivery SET sent_at = now(), lease_until = NULL, last_error = NULL, failed_at = NULL
      WHERE id = ${id} AND sent_at IS NULL RETURNING message->'maintenance'->>'id' AS maintenance`);
    // Another attempt at the same message came first: all of it is noted.
    if (!sent) return;
    await tx.execute(sql`
      UPDATE vitals.told t SET last_at = now()
      FROM vitals.delivery d, jsonb_to_recordset(d.transitions) AS r("alertId" uuid)
      WHERE d.id = ${id} AND t.alert_id = r."alertId" AND t.channel = d.channel`);
    await tx.execute(sql`
      WITH events AS (
        SELECT e.id FROM system_event e WHERE e.id IN (
          SELECT a.event_id FROM vitals.delivery d, jsonb_to_recordset(d.transitions) AS r("alertId" uuid), vitals.alert a
          WHERE d.id = ${id} AND a.id = r."alertId")
        ORDER BY e.id FOR UPDATE
      )
      UPDATE system_event e SET notification_sent = true,
        notification_channels = ${withChannel('e.notification_channels', channel)}
      FROM events WHERE e.id = events.id`);
    if (sent.maintenance !== null) {
      await tx.execute(sql`
        UPDATE maintenance_window w SET notification_sent = true, updated_at = now(),
          notification_channels = ${withChannel('w.notification_channels', channel)}
        WHERE w.id::text = ${sent.maintenance}`);
    }
    await tx.execute(sql`
      UPDATE system_event SET status = 'resolved', resolved_at = now(), resolved_by = 'mcp-vitals'
      WHERE type = 'notification_failed' AND source = 'mcp-vitals' AND resource_id = ${channel}
        AND status IN ('active', 'acknowledged')`);
  });
}
