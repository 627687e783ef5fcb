import { sql } from 'drizzle-orm';
import type { Database } from '../../src/db/client.ts';

type Session = Pick<Database, 'execute'>;

/** What usage is summed by, and the column that says whose a call is. */
const KINDS = {
  all: sql`''`,
  server: sql`server_id`,
  tenant: sql`tenant_id`,
  user: sql`user_id`,
  token: sql`token_id::text`,
} as const;
const EACH = ['day', 'week', 'month'];

/** Where the stored statistics are not what one GROUP BY over all calls gives, by period and kind. */
export async function compareWithGroupBy(db: Session): Promise<unknown[]> {
  const different: unknown[] = [];
  for (const [kind, column] of Object.entries(KINDS))
    for (const period of kind === 'user' || kind === 'token' ? EACH : ['hour', ...EACH])
      different.push(
        ...(await db.execute(sql`
          WITH wanted AS (
            SELECT date_trunc(${period}, requested_at, 'UTC') AS start, ${column} AS key, count(*) AS n,
              count(*) FILTER (WHERE status_code >= 400) AS errors, sum(response_time) AS time_sum,
              coalesce(sum(request_size), 0) + coalesce(sum(response_size), 0) AS bytes,
              count(*) FILTER (WHERE status_code >= 500) AS s5, count(DISTINCT ip_address) AS ips,
              round(avg(response_time), 3) AS mean
            FROM api_usage WHERE ${column} IS NOT NULL GROUP BY 1, 2)
          SELECT ${`${kind} ${period}`} AS of, * FROM wanted w FULL JOIN (
            SELECT b.period_start, b.key, s.total_requests, s.total_errors, b.time_sum, s.total_data_transfer,
              s.status_breakdown, s.unique_ips, s.avg_response_time
            FROM api_usage_stats s JOIN (SELECT *, md5('mcp-vitals usage ' || period || ' ' || kind || ' '
              || extract(epoch FROM period_start)::bigint || ' ' || key)::uuid AS id FROM vitals.usage_bucket) b USING (id)
            WHERE b.period = ${period} AND b.kind = ${kind}) b ON b.key = w.key AND b.period_start = w.start
          WHERE (w.n, w.errors, coalesce(w.time_sum, 0), w.bytes, w.s5, w.mean) IS DISTINCT FROM
              (b.total_requests, b.total_errors, b.time_sum, b.total_data_transfer, (b.status_breakdown->>'5xx')::bigint,
              b.avg_response_time)
            OR abs(w.ips - b.unique_ips) > greatest(1, w.ips * 0.1)`)),
      );
  return different;
}

/** Tables that usage is rolled up into, as they are to be compared: without what says when they were written. */
const TABLES = {
  // Minutes, and the hours of users and tokens, are of the calls that were recent when they were taken.
  buckets: sql`SELECT * FROM vitals.usage_bucket WHERE period IN ('day', 'week', 'month')
    OR (period = 'hour' AND kind IN ('all', 'server', 'tenant')) ORDER BY period, period_start, kind, key`,
  statistics: sql`SELECT to_jsonb(s) - '{created_at,updated_at}'::text[] AS of FROM api_usage_stats s
    WHERE period_type <> 'minute' AND (period_type <> 'hour' OR (user_id IS NULL AND token_id IS NULL)) ORDER BY id`,
  servers: sql`SELECT id, request_count, error_count, last_used_at FROM mcp_server ORDER BY id`,
  tools: sql`SELECT server_id, name, call_count, error_count, avg_execution_time, last_used_at FROM mcp_tool ORDER BY 1, 2`,
  counted: sql`SELECT * FROM vitals.usage_counted WHERE calls > 0 ORDER BY server_id, day, tool`,
  tenants: sql`SELECT t.id, t.current_month_api_calls, u.period_start, u.api_calls, u.usage_details::jsonb FROM tenant t
    LEFT JOIN tenant_usage u ON u.tenant_id = t.id AND u.api_calls > 0 ORDER BY t.id, u.period_start`,
  events: sql`SELECT id, title, severity, resource_type, resource_id, tenant_id, data::jsonb, occurred_at
    FROM system_event WHERE type = 'usage.rollup' ORDER BY id`,
};
export type UsageState = Record<keyof typeof TABLES, unknown[]>;

/** All that usage is rolled up into. */
export async function readUsageState(db: Session): Promise<UsageState> {
  const state: Record<string, unknown[]> = {};
  for (const [name, query] of Object.entries(TABLES)) state[name] = [...(await db.execute(query))];
  return state as UsageState;
}

/** As if nothing had ever been rolled up; the calls stay. */
export async function forgetUsage(db: Session): Promise<void> {
  await db.execute(sql`TRUNCATE vitals.usage_bucket, vitals.rollup_watermark, vitals.usage_counted, vitals.tool_time,
    vitals.usage_set_aside, api_usage_stats, tenant_usage`);
  await db.execute(sql`DELETE FROM system_event`);
  await db.execute(sql`UPDATE mcp_server SET request_count = 0, error_count = 0, last_used_at = NULL`);
  await db.execute(
    sql`UPDATE mcp_tool SET call_count = 0, error_count = 0, avg_execution_time = NULL, last_used_at = NULL`,
  );
  await db.execute(sql`UPDATE tenant SET current_month_api_calls = 0`);
}
