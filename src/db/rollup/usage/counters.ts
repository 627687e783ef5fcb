import { idOf } from './store-delta.ts';

/** A path that names a tool: /v1/servers/one/tools/search, /tools/search/call. */
const TOOL_OF_PATH = `CASE WHEN path ~ '/tools/[^/?]+' THEN nullif(nullif(substring(path from '/tools/([^/?]+)'), 'call'), 'list') END`;
const capped = (value: string): string => `least(${value}, 2147483647)::int`;
const OLD = (counter: string): string => `coalesce(${counter}, 0)::bigint`;

/**
 * Counts the calls of `u_calls` and `u_paths` in the rows of their servers, tools and tenants. Rows are locked
 * in the order of their ids, as everything does that locks several servers.
 */
export const countCalls = (): string[] => [
  `SELECT 1 FROM mcp_server WHERE id IN (SELECT server_id FROM u_calls) ORDER BY id FOR NO KEY UPDATE`,
  `UPDATE mcp_server m SET request_count = ${capped(`${OLD('m.request_count')} + c.n`)},
     error_count = ${capped(`${OLD('m.error_count')} + c.errors`)}, last_used_at = greatest(m.last_used_at, c.last_at)
   FROM (SELECT server_id, sum(n)::bigint AS n, sum(errors)::bigint AS errors, max(last_at) AS last_at
     FROM u_calls GROUP BY 1) c WHERE m.id = c.server_id`,
  `UPDATE mcp_tool t SET call_count = ${capped(`${OLD('t.call_count')} + c.n`)},
     error_count = ${capped(`${OLD('t.error_count')} + c.errors`)}, last_used_at = greatest(t.last_used_at, c.last_at),
     avg_execution_time = CASE WHEN c.timed = 0 THEN t.avg_execution_time ELSE least(9999999, round(
       (coalesce(t.avg_execution_time, 0) * CASE WHEN t.avg_execution_time IS NULL THEN 0 ELSE ${OLD('t.call_count')} END
         + c.time_sum) / (CASE WHEN t.avg_execution_time IS NULL THEN 0 ELSE ${OLD('t.call_count')} END + c.timed), 3)) END
   FROM (SELECT server_id, coalesce(tool, ${TOOL_OF_PATH}) AS tool, sum(n)::bigint AS n, sum(errors)::bigint AS errors,
       coalesce(sum(time_sum), 0)::bigint AS time_sum, sum(timed)::bigint AS timed, max(last_at) AS last_at
     FROM u_paths GROUP BY 1, 2) c WHERE t.server_id = c.server_id AND t.name = c.tool`,
];

const MONTH = `date_trunc('month', now())`;
const NAMED = `(SELECT jsonb_object_agg(e.key, e.value->0) FROM jsonb_each(b.endpoints) e)`;

/** Tenants' usage of the months that `u_delta` touched, out of their buckets. */
export const countTenants = (): string[] => [
  `INSERT INTO tenant_usage (id, tenant_id, period_start, period_end, api_calls, active_users, active_servers,
     usage_details, created_at, updated_at)
   SELECT ${idOf(`'tenant usage ' || b.key || ' ' || extract(epoch FROM b.period_start)::bigint`)}, b.key, b.period_start,
     b.period_start + interval '1 month', ${capped('b.requests')},
     (SELECT count(*) FROM "user" u WHERE u.tenant_id = b.key AND u.is_active)::int,
     (SELECT count(*) FROM mcp_server m WHERE m.tenant_id = b.key)::int,
     jsonb_build_object('apiCallsByEndpoint', coalesce(${NAMED}, '{}'), 'apiCallsByStatus', jsonb_build_object(
       '2xx', b.status_2xx, '3xx', b.status_3xx, '4xx', b.errors - b.status_5xx, '5xx', b.status_5xx)), now(), now()
   FROM (SELECT DISTINCT start, key FROM u_delta WHERE period = 'month' AND kind = 'tenant') d
   JOIN vitals.usage_bucket b ON b.period = 'month' AND b.period_start = d.start AND b.kind = 'tenant' AND b.key = d.key
   JOIN tenant t ON t.id = b.key
   ON CONFLICT (tenant_id, period_start, period_end) DO UPDATE SET api_calls = excluded.api_calls,
     active_users = excluded.active_users, active_servers = excluded.active_servers,
     usage_details = (coalesce(tenant_usage.usage_details::jsonb, '{}') || excluded.usage_details::jsonb)::json,
     updated_at = excluded.updated_at`,
  `UPDATE tenant t SET current_month_api_calls = ${capped('m.calls')} FROM (
     SELECT t.id, coalesce(b.requests, 0) AS calls FROM tenant t LEFT JOIN vitals.usage_bucket b
       ON b.period = 'month' AND b.period_start = ${MONTH} AND b.kind = 'tenant' AND b.key = t.id) m
   WHERE m.id = t.id AND t.current_month_api_calls IS DISTINCT FROM ${capped('m.calls')}`,
];

/** One event for each quota of a tenant's that is used to 80 or 100 percent: of calls once a month. */
export const reportQuotas = (): string => `
  INSERT INTO system_event (id, type, category, title, severity, source, tenant_id, resource_type, resource_id,
    data, status, occurred_at, created_at)
  SELECT ${idOf(`'quota ' || q.id || ' ' || q.quota || ' ' || l.percent || ' ' || q.of`)}, 'usage.quota', 'business',
    q.name || ' uses ' || l.percent || '% of its ' || q.quota, CASE WHEN l.percent = 100 THEN 'error' ELSE 'warning' END,
    'mcp-vitals', q.id, 'tenant', q.id,
    json_build_object('quota', q.quota, 'percent', l.percent, 'used', q.used, 'limit', q.most), 'active', now(), now()
  FROM (
    SELECT id, name, 'max_api_calls' AS quota, max_api_calls AS most, current_month_api_calls::bigint AS used,
      max_api_calls || ' ' || extract(epoch FROM ${MONTH})::bigint AS of FROM tenant
    UNION ALL SELECT id, name, 'max_servers', max_servers,
      (SELECT count(*) FROM mcp_server m WHERE m.tenant_id = t.id), max_servers::text FROM tenant t
    UNION ALL SELECT id, name, 'max_users', max_users,
      (SELECT count(*) FROM "user" u WHERE u.tenant_id = t.id), max_users::text FROM tenant t) q
  CROSS JOIN (VALUES (80), (100)) l(percent)
  WHERE q.most > 0 AND q.used * 100 >= q.most::bigint * l.percent
  ON CONFLICT (id) DO NOTHING`;
