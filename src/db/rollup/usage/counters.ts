import { idOf } from './store-delta.ts';

const capped = (value: string): string => `least(${value}, 2147483647)::int`;
const MONTH = `date_trunc('month', now())`;
const tenantUsageId = (tenant: string, month: string): string =>
  idOf(`'tenant usage ' || ${tenant} || ' ' || extract(epoch FROM ${month})::bigint`);
const DETAILS = `coalesce(u.usage_details::jsonb, '{}') || excluded.usage_details::jsonb`;
const NAMED = `(SELECT jsonb_object_agg(e.key, e.value->0) FROM jsonb_each(b.endpoints) e)`;

/** Tenants' usage of the months that `u_delta` touched, out of their buckets. */
export const countTenants = (): string[] => [
  `INSERT INTO tenant_usage AS u (id, tenant_id, period_start, period_end, api_calls, active_users, active_servers,
     usage_details, created_at, updated_at)
   SELECT ${tenantUsageId('b.key', 'b.period_start')}, b.key, b.period_start,
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
     usage_details = (${DETAILS})::json, updated_at = excluded.updated_at
   WHERE (u.api_calls, u.active_users, u.active_servers, u.usage_details::jsonb) IS DISTINCT FROM
     (excluded.api_calls, excluded.active_users, excluded.active_servers, ${DETAILS})`,
  `UPDATE tenant t SET current_month_api_calls = ${capped('m.calls')} FROM (
     SELECT t.id, coalesce(b.requests, 0) AS calls FROM tenant t LEFT JOIN vitals.usage_bucket b
       ON b.period = 'month' AND b.period_start = ${MONTH} AND b.kind = 'tenant' AND b.key = t.id) m
   WHERE m.id = t.id AND t.current_month_api_calls IS DISTINCT FROM ${capped('m.calls')}`,
];

/** Tenants whose calls of a month (SQL) have all turned out to be others'. */
export const clearTenants = (month: string): string => `
  UPDATE tenant_usage u SET api_calls = 0, updated_at = now(), usage_details = (coalesce(u.usage_details::jsonb, '{}')
    || '{"apiCallsByEndpoint": {}, "apiCallsByStatus": {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}}')::json
  WHERE u.period_start = ${month} AND u.api_calls > 0 AND u.id = ${tenantUsageId('u.tenant_id', 'u.period_start')}
    AND NOT EXISTS (SELECT 1 FROM vitals.usage_bucket b WHERE b.period = 'month' AND b.period_start = u.period_start
      AND b.kind = 'tenant' AND b.key = u.tenant_id)`;

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
