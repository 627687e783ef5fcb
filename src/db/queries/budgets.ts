import { sql } from 'drizzle-orm';
import { ERROR_STATUS } from '../../core/monitor/failing-calls.ts';
import { AWAKE_AFTER_CALL_MS, type SlotFacts, type Traffic } from '../../core/monitor/spare-probe.ts';
import { intervalMsOf } from '../../core/schedule.ts';
import type { Database } from '../client.ts';
import { CLOCK_LEEWAY_MS } from './fragments.ts';

const TODAY = sql`(now() AT TIME ZONE 'UTC')::date`;
const ms = (time: ReturnType<typeof sql>) => sql`(extract(epoch FROM ${time}) * 1000)::float8`;

/** What a slot's decision is made from, as columns of a query over s (server_state) and m (mcp_server). */
export const SLOT_COLUMNS = sql`
  ${ms(sql`clock_timestamp()`)} AS "nowMs", ${ms(sql`s.last_probe_at`)} AS "lastProbeMs",
  ${ms(sql`s.hurried_at`)} AS "hurriedMs", m.health_check_interval AS "intervalSeconds",
  coalesce(s.own->>'verdict', s.verdict) AS "ownVerdict",
  CASE WHEN s.budget_day = ${TODAY} THEN s.probes_today ELSE 0 END AS "probesToday",
  (CASE WHEN s.budget_day = ${TODAY} THEN s.bytes_today ELSE 0 END)::float8 AS "bytesToday"`;

export interface SlotRow extends Record<string, unknown> {
  nowMs: number;
  lastProbeMs: number | null;
  hurriedMs: number | null;
  intervalSeconds: number | null;
  ownVerdict: string | null;
  probesToday: number;
  bytesToday: number;
}

export function slotFacts(serverId: string, slotMs: number, row: SlotRow): SlotFacts {
  const { nowMs, lastProbeMs, hurriedMs, probesToday, bytesToday } = row;
  const intervalMs = intervalMsOf(row.intervalSeconds);
  const isUp = row.ownVerdict === 'up';
  return { serverId, slotMs, intervalMs, nowMs, lastProbeMs, hurriedMs, isUp, probesToday, bytesToday };
}

/** The real calls that a decision asks for: the latest, and those since the last probe. */
export async function readTraffic(tx: Pick<Database, 'execute'>, facts: SlotFacts): Promise<Traffic> {
  const { serverId, nowMs, lastProbeMs, intervalMs } = facts;
  const at = (time: number) => sql`to_timestamp(${time}::float8 / 1000)`;
  const until = at(nowMs + CLOCK_LEEWAY_MS);
  const sinceMs = Math.max(lastProbeMs ?? 0, nowMs - intervalMs);
  const [row] = await tx.execute<{ lastCallMs: number | null; calls: number; failed: number }>(sql`
    SELECT greatest(
        (SELECT ${ms(sql`max(u.requested_at)`)} FROM api_usage u
          WHERE u.server_id = ${serverId} AND u.requested_at > ${at(nowMs - AWAKE_AFTER_CALL_MS)}
            AND u.requested_at <= ${until}),
        (SELECT ${ms(sql`m.last_used_at`)} FROM mcp_server m WHERE m.id = ${serverId})) AS "lastCallMs",
      count(*) FILTER (WHERE u.status_code BETWEEN 200 AND 299)::int AS calls,
      count(*) FILTER (WHERE u.status_code BETWEEN ${ERROR_STATUS.from}::int AND ${ERROR_STATUS.to}::int)::int AS failed
    FROM api_usage u
    WHERE u.server_id = ${serverId} AND u.requested_at > ${at(sinceMs)} AND u.requested_at <= ${until}`);
  return row ?? { lastCallMs: null, calls: 0, failed: 0 };
}

/** Counts a stored probe against its server's day: assignments of an UPDATE of server_state s, with its bytes in r. */
export const COUNT_PROBE = sql`
  budget_day = ${TODAY},
  probes_today = CASE WHEN s.budget_day = ${TODAY} THEN s.probes_today ELSE 0 END + 1,
  bytes_today = CASE WHEN s.budget_day = ${TODAY} THEN s.bytes_today ELSE 0 END + coalesce(r.bytes, 0)`;
