import { sql } from 'drizzle-orm';
import type { HealthContext } from '../../core/health/context.ts';
import { type CallCounts, ERROR_STATUS, failingCallsOf } from '../../core/monitor/failing-calls.ts';
import type { CallsPolicy } from '../../core/policy.ts';
import type { Database } from '../client.ts';
import { CLOCK_LEEWAY_MS, MAY_BE_SCHEDULED } from './fragments.ts';

const IS_ERROR = sql`u.status_code BETWEEN ${sql.raw(`${ERROR_STATUS.from} AND ${ERROR_STATUS.to}`)}`;
const at = (ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`;

/**
 * The servers of which enough real calls fail, with their counts; those that are well, or hardly used, are
 * not in the map. One statement, over the index of a server's latest calls.
 */
export async function readFailingCalls(
  tx: Pick<Database, 'execute'>,
  serverIds: readonly string[],
  policy: CallsPolicy,
  nowMs: number,
): Promise<Map<string, NonNullable<HealthContext['failingCalls']>>> {
  if (serverIds.length === 0) return new Map();
  const rows = await tx.execute<CallCounts & { serverId: string } & Record<string, unknown>>(sql`
    SELECT r.id AS "serverId", c.calls, c.errors
    FROM jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb) AS r(id)
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS calls, (count(*) FILTER (WHERE ${IS_ERROR}))::int AS errors
      FROM api_usage u
      WHERE u.server_id = r.id AND u.requested_at > ${at(nowMs - policy.windowMs)}
        AND u.requested_at <= ${at(nowMs + CLOCK_LEEWAY_MS)}
    ) c
    WHERE c.errors > 0`);
  const failing = new Map<string, NonNullable<HealthContext['failingCalls']>>();
  for (const { serverId, calls, errors } of rows) {
    const counts = failingCallsOf({ calls, errors }, policy);
    if (counts) failing.set(serverId, counts);
  }
  return failing;
}

/** A server is not hurried more often than this; what it is hurried for is a probe, which takes its time. */
const HURRY_AT_MOST_MS = 60_000;

/**
 * Makes the servers due at once whose real calls begin to fail while they count as up, and those that are
 * degraded for it whose calls fail no longer. One statement: the calls of the window by their time, summed
 * by server. The ids of those that were hurried.
 */
export async function hurryFailing(db: Pick<Database, 'execute'>, policy: CallsPolicy): Promise<string[]> {
  const rows = await db.execute<{ serverId: string }>(sql`
    WITH counted AS (
      SELECT u.server_id, count(*) AS calls, count(*) FILTER (WHERE ${IS_ERROR}) AS errors
      FROM api_usage u
      WHERE u.requested_at > now() - ${policy.windowMs} * interval '1 millisecond'
        AND u.requested_at <= now() + ${CLOCK_LEEWAY_MS} * interval '1 millisecond' AND u.server_id IS NOT NULL
      GROUP BY u.server_id
    ), failing AS (
      SELECT server_id FROM counted
      WHERE calls >= ${policy.minCalls}::int AND errors > 0 AND errors >= calls * ${policy.errorShare}::float8
    ), news AS (
      SELECT s.server_id FROM vitals.server_state s JOIN failing f USING (server_id)
      WHERE coalesce(s.own->>'verdict', s.verdict) = 'up'
      UNION ALL
      SELECT s.server_id FROM vitals.server_state s
      WHERE coalesce(s.own->>'reason', s.reason) = 'calls_failing'
        AND NOT EXISTS (SELECT 1 FROM failing f WHERE f.server_id = s.server_id)
    ), picked AS (
      SELECT s.server_id FROM vitals.server_state s
      JOIN news n USING (server_id) JOIN mcp_server m ON m.id = s.server_id
      WHERE ${MAY_BE_SCHEDULED} AND s.next_probe_at > now()
        AND (s.running_until IS NULL OR s.running_until < now())
        AND (s.hurried_at IS NULL OR s.hurried_at < now() - ${HURRY_AT_MOST_MS} * interval '1 millisecond')
      ORDER BY s.server_id FOR NO KEY UPDATE OF s SKIP LOCKED
    )
    UPDATE vitals.server_state s SET next_probe_at = now(), hurried_at = now()
    FROM picked WHERE picked.server_id = s.server_id
    RETURNING s.server_id AS "serverId"`);
  return rows.map(({ serverId }) => serverId);
}
