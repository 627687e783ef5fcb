/** A uuid that is the same for the same text, always. */
export const idOf = (text: string): string => `md5('mcp-vitals ' || ${text})::uuid`;

const COLUMNS = [
  ['requests', 'n'],
  ['errors', 'errors'],
  ['time_sum', 'time_sum'],
  ['timed', 'timed'],
  ['bytes', 'bytes'],
  ['status_2xx', 's2'],
  ['status_3xx', 's3'],
  ['status_5xx', 's5'],
] as const;
const MERGED = [
  ['sketch', 'vitals.merge_sketches'],
  ['clients', 'vitals.merge_clients'],
  ['endpoints', 'vitals.merge_endpoints'],
] as const;

/** The contract's columns are integers: what is larger stays at the largest. */
const capped = (value: string): string => `least(${value}, 2147483647)::int`;
const PERIOD_END = `CASE b.period WHEN 'minute' THEN b.period_start + interval '1 minute'
  WHEN 'hour' THEN b.period_start + interval '1 hour' WHEN 'day' THEN b.period_start + interval '1 day'
  WHEN 'week' THEN b.period_start + interval '7 days' ELSE b.period_start + interval '1 month' END`;
const STATS_ID = idOf(
  `'usage ' || b.period || ' ' || b.kind || ' ' || extract(epoch FROM b.period_start)::bigint || ' ' || b.key`,
);

/** Rows of api_usage_stats out of buckets `b`: the gateway's view of them. */
const STATS = `
  SELECT ${STATS_ID}, CASE WHEN b.kind = 'tenant' THEN b.key END, CASE WHEN b.kind = 'user' THEN b.key END,
    CASE WHEN b.kind = 'server' THEN b.key END, CASE WHEN b.kind = 'token' THEN b.key::uuid END,
    b.period, b.period_start, ${PERIOD_END}, ${capped('b.requests')}, ${capped('b.errors')},
    CASE WHEN b.timed > 0 THEN least(round(b.time_sum::numeric / b.timed, 3), 9999999) END,
    ${capped('b.bytes')}, vitals.count_clients(b.clients),
    json_build_object('2xx', b.status_2xx, '3xx', b.status_3xx,
      '4xx', b.errors - b.status_5xx, '5xx', b.status_5xx),
    CASE WHEN b.endpoints IS NULL THEN '{}' ELSE (SELECT json_object_agg(e.key, json_build_object('requests', e.value->0, 'errors', e.value->1,
      'avgResponseTime', CASE WHEN (e.value->>3)::bigint > 0
        THEN round((e.value->>2)::numeric / (e.value->>3)::numeric, 3) ELSE 0 END))
      FROM jsonb_each(b.endpoints) e) END, now(), now()
  FROM stored b`;

/** Stores what the CTE `stored` (rows of vitals.usage_bucket) holds in api_usage_stats as well. */
const storeStats = (stored: string): string => `
  WITH stored AS (${stored})
  INSERT INTO api_usage_stats (id, tenant_id, user_id, server_id, token_id, period_type, period_start, period_end,
    total_requests, total_errors, avg_response_time, total_data_transfer, unique_ips, status_breakdown,
    endpoint_breakdown, created_at, updated_at) ${STATS}
  ON CONFLICT (id) DO UPDATE SET total_requests = excluded.total_requests, total_errors = excluded.total_errors,
    avg_response_time = excluded.avg_response_time, total_data_transfer = excluded.total_data_transfer,
    unique_ips = excluded.unique_ips, status_breakdown = excluded.status_breakdown,
    endpoint_breakdown = excluded.endpoint_breakdown, updated_at = excluded.updated_at`;

const insert = (from: string, values: string): string => `
  INSERT INTO vitals.usage_bucket AS b (period, period_start, kind, key, ${COLUMNS.map(([name]) => name).join(', ')},
    sketch, clients, endpoints)
  SELECT period, start, kind, key, ${values}, sketch, clients, endpoints FROM ${from} ORDER BY 1, 2, 3, 4
  ON CONFLICT (period, period_start, kind, key) DO UPDATE SET`;
const DELTA = COLUMNS.map(([, name]) => name).join(', ');

/** Adds `u_delta` to the buckets that are there. */
export const addDelta = (): string =>
  storeStats(`${insert('u_delta', DELTA)}
    ${COLUMNS.map(([name]) => `${name} = b.${name} + excluded.${name}`).join(', ')},
    ${MERGED.map(
      ([name, merge]) =>
        `${name} = CASE WHEN b.${name} IS NULL THEN excluded.${name} WHEN excluded.${name} IS NULL ${
          // Most clients are known already, which is told in a fraction of the time.
          name === 'clients' ? 'OR b.clients @> excluded.clients ' : ''
        }THEN b.${name}
          ELSE ${merge}(b.${name}, excluded.${name}) END`,
    ).join(', ')}
  RETURNING b.*`);

/** Makes the buckets what a table like `u_delta` says; those that are so already are not touched. */
export const replaceWith = (table: string): string => {
  const names = [...COLUMNS, ...MERGED].map(([name]) => name);
  return storeStats(`${insert(table, DELTA)}
    ${names.map((name) => `${name} = excluded.${name}`).join(', ')}
    WHERE (${names.map((name) => `b.${name}`).join(', ')}) IS DISTINCT FROM
      (${names.map((name) => `excluded.${name}`).join(', ')})
  RETURNING b.*`);
};

/** Deletes the rows of api_usage_stats of buckets `b`, which are deleted in the same statement. */
export const DELETE_STATISTICS = `DELETE FROM api_usage_stats s USING b WHERE s.id = ${STATS_ID}`;

/** Deletes buckets, and their rows of api_usage_stats with them. */
export const deleteBuckets = (where: string): string => `
  WITH b AS (DELETE FROM vitals.usage_bucket b WHERE ${where} RETURNING *) ${DELETE_STATISTICS}`;
