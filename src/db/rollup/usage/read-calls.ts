import { LAST_BIN, LOG_GROWTH, SHORTEST_MS } from '../../../core/sketch/latency-sketch.ts';
import { isGood } from './good-rows.ts';
import { KINDS, MINUTES_FOR, startOf } from './periods.ts';

/** Which calls, and of what age. */
export interface Calls {
  /** A condition over api_usage. */
  where: string;
  lateBeforeMs: number | null;
  /** Also sum minutes, and the hours of users and tokens, of what is recent. */
  recent: boolean;
}

const BIN = `CASE WHEN response_time <= 0 THEN 0 ELSE least(${LAST_BIN},
  ceil(ln(response_time::float8 / ${SHORTEST_MS}::float8) / ${LOG_GROWTH}::float8)::int) END`;
/** Ids in a path would make each call a path of its own. */
const PATH = `left(regexp_replace(split_part(path, '?', 1),
  '/([0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{16,})(?=/|$)', '/:id', 'g'), 200)`;
/** Whose a call is by number, from a table `c` of calls with texts: a call of an unknown tenant is left out. */
const NUMBERED = `JOIN u_keys s ON s.kind = 'server' AND s.key = c.server_id
  LEFT JOIN u_keys t ON t.kind = 'tenant' AND t.key = c.tenant_id`;
const KNOWN = 'c.tenant_id IS NULL OR t.no IS NOT NULL';
const OWN_KINDS = KINDS.filter(({ kind }) => kind !== 'all');

/**
 * Two passes over the calls: sums by everything that they are summed by, with the bins of their latencies in an
 * array (`u_calls`), and paths (`u_paths`). What comes after works on these, with numbers (`u_keys`, `u_names`)
 * instead of the texts: sums by numbers take a fraction of the time.
 */
export function readCalls({ where, lateBeforeMs, recent }: Calls): string[] {
  const from = `FROM api_usage WHERE (${where}) AND ${isGood(lateBeforeMs)}`;
  const bucket = recent
    ? `CASE WHEN requested_at >= now() - ${MINUTES_FOR} THEN ${startOf.minute('requested_at')}
        ELSE ${startOf.hour('requested_at')} END`
    : startOf.hour('requested_at');
  const hour = startOf.hour('requested_at');
  return [
    `CREATE TEMP TABLE u_calls ON COMMIT DROP AS
     SELECT ${bucket} AS bucket, server_id, tenant_id, user_id, token_id, ip_address, count(*) AS n,
       count(*) FILTER (WHERE status_code >= 400) AS errors, sum(response_time) AS time_sum,
       count(response_time) AS timed,
       coalesce(sum(greatest(request_size, 0)), 0) + coalesce(sum(greatest(response_size, 0)), 0) AS bytes,
       count(*) FILTER (WHERE status_code BETWEEN 200 AND 299) AS s2,
       count(*) FILTER (WHERE status_code BETWEEN 300 AND 399) AS s3,
       count(*) FILTER (WHERE status_code >= 500) AS s5, max(requested_at) AS last_at,
       array_agg(${BIN}) FILTER (WHERE response_time IS NOT NULL) AS bins
     ${from} GROUP BY 1, 2, 3, 4, 5, 6`,
    // A tenant that nobody knows has its calls set aside; told from the sums, of which there are fewer.
    `CREATE TEMP TABLE u_unknown ON COMMIT DROP AS
     SELECT tenant_id, sum(n)::bigint AS n FROM u_calls c WHERE tenant_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM tenant t WHERE t.id = c.tenant_id) GROUP BY 1`,
    `DELETE FROM u_calls WHERE tenant_id IN (SELECT tenant_id FROM u_unknown)`,
    `CREATE TEMP TABLE u_keys ON COMMIT DROP AS
     SELECT 0 AS no, 'all' COLLATE "C" AS kind, '' COLLATE "C" AS key
     UNION ALL SELECT row_number() OVER ()::int, kind, key FROM (${OWN_KINDS.map(
       ({ kind, column }) =>
         `SELECT DISTINCT '${kind}' AS kind, ${column} AS key FROM u_calls WHERE ${column} IS NOT NULL`,
     ).join(' UNION ALL ')}) k`,
    'ANALYZE u_calls (server_id, tenant_id, user_id, token_id, ip_address), u_keys',
    `CREATE TEMP TABLE u_paths ON COMMIT DROP AS
     SELECT c.*, s.no AS server, t.no AS tenant FROM (
       SELECT ${hour} AS bucket, server_id, tenant_id, path,
         CASE WHEN metadata IS NOT NULL THEN metadata #>> '{custom,tool}' END AS tool, count(*) AS n,
         count(*) FILTER (WHERE status_code >= 400) AS errors, sum(response_time) AS time_sum,
         count(response_time) AS timed, max(requested_at) AS last_at
       ${from} GROUP BY 1, 2, 3, 4, 5) c ${NUMBERED} WHERE ${KNOWN}`,
    `CREATE TEMP TABLE u_names ON COMMIT DROP AS
     SELECT path, named, (dense_rank() OVER (ORDER BY named COLLATE "C"))::int AS no
     FROM (SELECT path, ${PATH} AS named FROM (SELECT DISTINCT path FROM u_paths) d) p`,
    // Without statistics each sum of millions is planned as one of a few, and sorted instead of hashed.
    'ANALYZE u_paths (bucket, server, tenant, path), u_names',
    `CREATE TEMP TABLE u_numbered ON COMMIT DROP AS
     SELECT c.bucket, s.no AS server, t.no AS tenant, u.no AS "user", k.no AS token, l.entry, c.n, c.errors, c.time_sum,
       c.timed, c.bytes, c.s2, c.s3, c.s5, c.bins
     FROM u_calls c ${NUMBERED}
     LEFT JOIN u_keys u ON u.kind = 'user' AND u.key = c.user_id
     LEFT JOIN u_keys k ON k.kind = 'token' AND k.key = c.token_id::text
     LEFT JOIN (SELECT ip_address, vitals.client_entry(ip_address) AS entry
       FROM (SELECT DISTINCT ip_address FROM u_calls WHERE ip_address IS NOT NULL) i) l USING (ip_address)`,
    'ANALYZE u_numbered (bucket, server, tenant, "user", token, entry)',
  ];
}
