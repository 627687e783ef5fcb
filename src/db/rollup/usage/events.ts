import type { LatencyPolicy } from '../../../core/policy.ts';
import { idOf } from './store-delta.ts';

export interface EventPolicy {
  /** The share of good calls that a server is to have where its settings do not say. */
  objective: number;
  latency: Pick<LatencyPolicy, 'slowFactor' | 'slowAtLeastMs' | 'minSamples'>;
}

const OBJECTIVE = (ours: number) => `coalesce(CASE
  WHEN jsonb_typeof(m.settings::jsonb #> '{monitor,slo,objective}') = 'number'
  THEN nullif(least(greatest((m.settings::jsonb #>> '{monitor,slo,objective}')::float8, 0), 1), 0) END, ${ours}::float8)`;
const rounded = (value: string): string => `round((${value})::numeric, 1)::float8`;
const change = (now: string, before: string): string =>
  `CASE WHEN ${before} > 0 THEN round(((${now} - ${before})::numeric / ${before}::numeric), 4)::float8 END`;

const EVENT_ID = idOf(
  `'usage.rollup ' || b.period || ' ' || b.kind || ' ' || extract(epoch FROM b.period_start)::bigint || ' ' || b.key`,
);
/** The periods that have an event. */
const TOLD = `((period = 'hour' AND kind = 'server') OR (period = 'day' AND kind IN ('tenant', 'all')))`;

/**
 * One event for each server and hour, tenant and day, and day of the fleet that `u_delta` touched, out of their
 * buckets: the same period has the same event, whose row follows it. What changed is the period after as well,
 * which is told against it.
 */
export const reportUsage = (policy: EventPolicy): string[] => [
  // By their keys: the planner would rather read every bucket there is, and more than once where it knows little.
  'SET LOCAL enable_hashjoin = off',
  'SET LOCAL enable_mergejoin = off',
  'SET LOCAL enable_seqscan = off',
  storeEvents(policy),
  'SET LOCAL enable_hashjoin = on',
  'SET LOCAL enable_mergejoin = on',
  'SET LOCAL enable_seqscan = on',
];

const storeEvents = ({ objective, latency }: EventPolicy): string => `
  INSERT INTO system_event AS e (id, type, category, title, severity, source, tenant_id, resource_type, resource_id,
    data, status, resolved_at, resolved_by, occurred_at, created_at)
  SELECT id, 'usage.rollup', 'performance', title, CASE WHEN badly THEN 'error' WHEN broken <> '{}' THEN 'warning'
    ELSE 'info' END, 'mcp-vitals', tenant_id, resource_type, nullif(key, ''), (left(data::text, -1) || ', "broken": ' || to_json(broken) || '}')::json,
    'resolved', period_start, 'mcp-vitals', period_start, now()
  FROM (
    SELECT f.*, array_remove(ARRAY[CASE WHEN rate > 1 - goal THEN 'error_rate' END, CASE WHEN slow THEN 'latency' END], NULL)
      AS broken, rate > 10 * (1 - goal) AS badly
    FROM (
      SELECT ${EVENT_ID} AS id,
        b.key, b.period_start, CASE WHEN b.kind = 'tenant' THEN b.key ELSE m.tenant_id END AS tenant_id,
        CASE b.kind WHEN 'server' THEN 'mcp_server' WHEN 'tenant' THEN 'tenant' ELSE 'fleet' END AS resource_type,
        CASE b.kind WHEN 'server' THEN coalesce(m.name, b.key) WHEN 'tenant' THEN coalesce(t.name, b.key) ELSE 'The fleet' END
          || ': ' || b.requests || ' requests, ' || b.errors || ' errors' AS title,
        b.status_5xx::float8 / b.requests AS rate, ${OBJECTIVE(objective)} AS goal,
        coalesce(least(b.timed, p.timed) >= ${latency.minSamples} AND q.p95 >= ${latency.slowFactor} * q.before95
          AND q.p95 >= q.before95 + ${latency.slowAtLeastMs}, false) AS slow,
        json_build_object('period', b.period, 'periodStart', b.period_start, 'requests', b.requests, 'errors', b.errors,
          'errorRate', round(b.errors::numeric / b.requests, 6), 'serverErrorRate', round(b.status_5xx::numeric / b.requests, 6),
          'p50Ms', q.p50, 'p95Ms', q.p95, 'p99Ms', q.p99, 'bytes', b.bytes, 'uniqueClients', vitals.count_clients(b.clients),
          'topEndpoints', (SELECT json_agg(json_build_object('path', o.key, 'requests', o.value->0, 'errors', o.value->1))
            FROM (SELECT * FROM jsonb_each(b.endpoints) ORDER BY (value->>0)::bigint DESC, key LIMIT 5) o),
          'change', json_build_object('requests', ${change('b.requests', 'p.requests')},
            'errors', ${change('b.errors', 'p.errors')}, 'p95Ms', ${change('q.p95', 'q.before95')})) AS data
      FROM (SELECT DISTINCT period, start + later * CASE period WHEN 'hour' THEN interval '1 hour' ELSE interval '1 day' END AS start,
          kind, key FROM u_delta, generate_series(0, 1) later WHERE ${TOLD}) d
      JOIN vitals.usage_bucket b ON b.period = d.period AND b.period_start = d.start AND b.kind = d.kind AND b.key = d.key
      LEFT JOIN vitals.usage_bucket p ON p.period = b.period AND p.kind = b.kind AND p.key = b.key
        AND p.period_start = b.period_start - CASE b.period WHEN 'hour' THEN interval '1 hour' ELSE interval '1 day' END
      LEFT JOIN mcp_server m ON b.kind = 'server' AND m.id = b.key
      LEFT JOIN tenant t ON b.kind = 'tenant' AND t.id = b.key
      CROSS JOIN LATERAL (SELECT ${rounded('now[1]')} AS p50, ${rounded('now[2]')} AS p95, ${rounded('now[3]')} AS p99,
        ${rounded('before[1]')} AS before95
        FROM (SELECT vitals.sketch_quantiles(b.sketch, b.timed, '{0.5,0.95,0.99}') AS now,
          vitals.sketch_quantiles(p.sketch, p.timed, '{0.95}') AS before OFFSET 0) s) q) f) r
  ON CONFLICT (id) DO UPDATE SET title = excluded.title, severity = excluded.severity, data = excluded.data
  WHERE e.title IS DISTINCT FROM excluded.title OR e.data::jsonb IS DISTINCT FROM excluded.data::jsonb
    OR e.severity IS DISTINCT FROM excluded.severity`;

/** Deletes the events of a day (SQL) whose calls have all turned out to be others'. */
export const forgetEvents = (day: string): string => `
  DELETE FROM system_event e WHERE e.type = 'usage.rollup' AND e.source = 'mcp-vitals' AND e.occurred_at >= ${day}
    AND e.occurred_at < ${day} + interval '1 day' AND e.id NOT IN (SELECT ${EVENT_ID} FROM vitals.usage_bucket b
      WHERE ${TOLD} AND b.period_start >= ${day} AND b.period_start < ${day} + interval '1 day')`;
