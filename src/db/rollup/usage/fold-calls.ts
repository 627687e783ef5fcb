import { LAST_BIN, LOG_GROWTH, SHORTEST_MS } from '../../../core/sketch/latency-sketch.ts';
import { isGood } from './good-rows.ts';
import { HOURS_OF_EACH_FOR, KINDS, MAIN_KINDS, MINUTES_FOR, startOf } from './periods.ts';

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
const SUMS = `sum(n)::bigint AS n, sum(errors)::bigint AS errors, sum(time_sum)::bigint AS time_sum,
  sum(timed)::bigint AS timed`;
const MORE_SUMS = `sum(bytes)::bigint AS bytes, sum(s2)::bigint AS s2, sum(s3)::bigint AS s3, sum(s5)::bigint AS s5`;

/**
 * Three passes over the calls, each of which PostgreSQL may share among its workers: sums by everything that
 * they are summed by, latencies, and paths. What comes after works on these.
 */
function readCalls({ where, lateBeforeMs, recent }: Calls): string[] {
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
       count(*) FILTER (WHERE status_code >= 500) AS s5, max(requested_at) AS last_at
     ${from} GROUP BY 1, 2, 3, 4, 5, 6`,
    `CREATE TEMP TABLE u_bins ON COMMIT DROP AS
     SELECT ${hour} AS bucket, server_id, tenant_id, ${BIN} AS bin, count(*) AS n
     ${from} AND response_time IS NOT NULL GROUP BY 1, 2, 3, 4`,
    `CREATE TEMP TABLE u_paths ON COMMIT DROP AS
     SELECT ${hour} AS bucket, server_id, tenant_id, path,
       CASE WHEN metadata IS NOT NULL THEN metadata #>> '{custom,tool}' END AS tool, count(*) AS n,
       count(*) FILTER (WHERE status_code >= 400) AS errors, sum(response_time) AS time_sum,
       count(response_time) AS timed, max(requested_at) AS last_at
     ${from} GROUP BY 1, 2, 3, 4, 5`,
    // A tenant that nobody knows has its calls set aside; told from the sums, of which there are fewer.
    `CREATE TEMP TABLE u_unknown ON COMMIT DROP AS
     SELECT tenant_id, sum(n)::bigint AS n FROM u_calls c WHERE tenant_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM tenant t WHERE t.id = c.tenant_id) GROUP BY 1`,
    // Without statistics each sum of millions is planned as one of a few, and sorted instead of hashed.
    'ANALYZE u_calls, u_bins, u_paths',
    ...['u_calls', 'u_bins', 'u_paths'].map(
      (table) => `DELETE FROM ${table} WHERE tenant_id IN (SELECT tenant_id FROM u_unknown)`,
    ),
    `CREATE TEMP TABLE u_clients ON COMMIT DROP AS
     SELECT ip_address, vitals.client_entry(ip_address) AS entry
     FROM (SELECT DISTINCT ip_address FROM u_calls WHERE ip_address IS NOT NULL) i`,
  ];
}

/** One measure (a table of it by period, kind and key), summed from calls and then from period to period. */
interface Measure {
  table: string;
  columns: string;
  from: string;
  /** What it is told apart by beside period, kind and key, and what is summed, from the calls and further on. */
  by: string;
  first: string;
  sums: string;
  /** Of all kinds, or of those that have latencies and paths. */
  all: boolean;
}

const MEASURES: readonly Measure[] = [
  {
    table: 'u_sums',
    columns:
      'n bigint, errors bigint, time_sum bigint, timed bigint, bytes bigint, s2 bigint, s3 bigint, s5 bigint',
    from: 'u_calls',
    by: '',
    first: `${SUMS}, ${MORE_SUMS}`,
    sums: `${SUMS}, ${MORE_SUMS}`,
    all: true,
  },
  {
    table: 'u_registers',
    columns: 'register int, entry int',
    from: 'u_calls JOIN u_clients USING (ip_address)',
    by: 'entry >> 6',
    first: 'max(entry) AS entry',
    sums: 'max(entry) AS entry',
    all: true,
  },
  {
    table: 'u_latencies',
    columns: 'bin int, n bigint',
    from: 'u_bins',
    by: 'bin',
    first: 'sum(n)::bigint AS n',
    sums: 'sum(n)::bigint AS n',
    all: false,
  },
  {
    table: 'u_endpoints',
    columns: 'path text, n bigint, errors bigint, time_sum bigint, timed bigint',
    from: 'u_named',
    by: 'path',
    first: SUMS,
    sums: SUMS,
    all: false,
  },
];

function sumMeasure({ table, columns, from, by, first, sums, all }: Measure, recent: boolean): string[] {
  const kinds = KINDS.filter(({ kind }) => all || MAIN_KINDS.includes(kind));
  const main = (kind: string) => MAIN_KINDS.some((one) => one === kind);
  const fromCalls = (period: 'minute' | 'hour' | 'day', kind: string, column: string, when = 'true') =>
    `INSERT INTO ${table} SELECT '${period}', ${startOf[period]('bucket')}, '${kind}', ${column}${by && `, ${by}`}, ${first}
     FROM ${from} WHERE ${column} IS NOT NULL AND ${when} GROUP BY 2, 4${by && ', 5'}`;
  const fromPeriod = (period: 'day' | 'week' | 'month', source: string, when = 'true') =>
    `INSERT INTO ${table} SELECT '${period}', ${startOf[period]('start')}, kind, key${by && `, ${by}`}, ${sums}
     FROM ${table} WHERE period = '${source}' AND ${when} GROUP BY 2, 3, 4${by && ', 5'}`;
  const mainKinds = MAIN_KINDS.map((kind) => `'${kind}'`).join();
  return [
    `CREATE TEMP TABLE ${table} (period text, start timestamptz, kind text COLLATE "C", key text COLLATE "C", ${columns}) ON COMMIT DROP`,
    ...kinds.flatMap(({ kind, column }) => [
      ...(recent && from.startsWith('u_calls')
        ? [
            fromCalls(
              'minute',
              kind,
              column,
              `bucket >= ${startOf.minute(`now() - ${MINUTES_FOR}`)} + interval '1 minute'`,
            ),
          ]
        : []),
      ...(main(kind) ? [fromCalls('hour', kind, column)] : [fromCalls('day', kind, column)]),
      ...(recent && !main(kind)
        ? [
            fromCalls(
              'hour',
              kind,
              column,
              `bucket >= ${startOf.hour(`now() - ${HOURS_OF_EACH_FOR}`)} + interval '1 hour'`,
            ),
          ]
        : []),
    ]),
    `ANALYZE ${table}`,
    fromPeriod('day', 'hour', `kind IN (${mainKinds})`),
    fromPeriod('week', 'day'),
    fromPeriod('month', 'day'),
    `ANALYZE ${table}`,
  ];
}

/** Statements that leave in `u_delta` what these calls are, by period, kind and key; in one transaction. */
export function foldCalls(calls: Calls): string[] {
  return [
    ...readCalls(calls),
    `CREATE TEMP TABLE u_named ON COMMIT DROP AS
     SELECT c.bucket, c.server_id, c.tenant_id, p.named AS path, ${SUMS}
     FROM u_paths c JOIN (SELECT path, ${PATH} AS named FROM (SELECT DISTINCT path FROM u_paths) d) p USING (path)
     GROUP BY 1, 2, 3, 4`,
    'ANALYZE u_named',
    ...MEASURES.flatMap((measure) => sumMeasure(measure, calls.recent)),
    `CREATE TEMP TABLE u_delta ON COMMIT DROP AS
     SELECT s.period, s.start, s.kind, s.key, s.n, s.errors, coalesce(s.time_sum, 0) AS time_sum, s.timed, s.bytes,
       s.s2, s.s3, s.s5, l.sketch, r.clients, e.endpoints
     FROM u_sums s
     LEFT JOIN (SELECT period, start, kind, key, array_agg((bin::bigint << 40) + n ORDER BY bin) AS sketch
       FROM u_latencies GROUP BY 1, 2, 3, 4) l USING (period, start, kind, key)
     LEFT JOIN (SELECT period, start, kind, key, array_agg(entry ORDER BY entry) AS clients
       FROM u_registers GROUP BY 1, 2, 3, 4) r USING (period, start, kind, key)
     LEFT JOIN (SELECT period, start, kind, key,
         CASE WHEN count(*) > 100 THEN vitals.merge_endpoints(jsonb_object_agg(path,
             jsonb_build_array(n, errors, coalesce(time_sum, 0), timed)), NULL)
           ELSE jsonb_object_agg(path, jsonb_build_array(n, errors, coalesce(time_sum, 0), timed)) END AS endpoints
       FROM u_endpoints GROUP BY 1, 2, 3, 4) e USING (period, start, kind, key)`,
    'ANALYZE u_delta',
  ];
}
