import {
  HOURS_OF_EACH_FOR,
  KINDS,
  MAIN_KINDS,
  MINUTES_FOR,
  numberOf,
  PERIODS,
  type Period,
  startOf,
} from './periods.ts';
import { type Calls, readCalls } from './read-calls.ts';
import { sketchLatencies } from './sketch-latencies.ts';

const SUMS = `sum(n)::bigint AS n, sum(errors)::bigint AS errors, sum(time_sum)::bigint AS time_sum,
  sum(timed)::bigint AS timed`;
const MORE_SUMS = `sum(bytes)::bigint AS bytes, sum(s2)::bigint AS s2, sum(s3)::bigint AS s3, sum(s5)::bigint AS s5`;

/** One measure (a table of it by period and number of a key), summed from calls and then from period to period. */
interface Measure {
  table: string;
  columns: string;
  from: string;
  /** What it is told apart by beside period and key, and what is summed, from the calls and further on. */
  by: string;
  sums: string;
  /** Of all kinds, or of those that have latencies and paths. */
  all: boolean;
}

const MEASURES: readonly Measure[] = [
  {
    table: 'u_sums',
    columns:
      'n bigint, errors bigint, time_sum bigint, timed bigint, bytes bigint, s2 bigint, s3 bigint, s5 bigint',
    from: 'u_numbered',
    by: '',
    sums: `${SUMS}, ${MORE_SUMS}`,
    all: true,
  },
  {
    table: 'u_registers',
    columns: 'register int, entry int',
    from: '(SELECT * FROM u_numbered WHERE entry IS NOT NULL) c',
    by: 'entry >> 6',
    sums: 'max(entry) AS entry',
    all: true,
  },
  {
    table: 'u_endpoints',
    columns: 'path int, n bigint, errors bigint, time_sum bigint, timed bigint',
    from: 'u_named',
    by: 'path',
    sums: SUMS,
    all: false,
  },
];

function sumMeasure({ table, columns, from, by, sums, all }: Measure, recent: boolean): string[] {
  const kinds = KINDS.filter(({ kind }) => all || MAIN_KINDS.includes(kind));
  const main = (kind: string) => MAIN_KINDS.some((one) => one === kind);
  const fromCalls = (period: 'minute' | 'hour' | 'day', number: string, when = 'true') =>
    `INSERT INTO ${table} SELECT ${numberOf(period)}, ${startOf[period]('bucket')}, ${number}${by && `, ${by}`}, ${sums}
     FROM ${from} WHERE ${number} IS NOT NULL AND ${when} GROUP BY 2, 3${by && ', 4'}`;
  const fromPeriod = (period: 'day' | 'week' | 'month', source: Period, when = 'true') =>
    `INSERT INTO ${table} SELECT ${numberOf(period)}, ${startOf[period]('start')}, no${by && `, ${by}`}, ${sums}
     FROM ${table} WHERE period = ${numberOf(source)} AND ${when} GROUP BY 2, 3${by && ', 4'}`;
  const since = (period: 'minute' | 'hour', age: string) =>
    `bucket >= ${startOf[period](`now() - ${age}`)} + interval '1 ${period}'`;
  const mainNumbers = `no IN (SELECT no FROM u_keys WHERE kind IN (${MAIN_KINDS.map((kind) => `'${kind}'`).join()}))`;
  const counted = `ANALYZE ${table} (period, start, no${by && `, ${columns.split(' ')[0]}`})`;
  return [
    `CREATE TEMP TABLE ${table} (period smallint, start timestamptz, no int, ${columns}) ON COMMIT DROP`,
    ...kinds.flatMap(({ kind, number }) => [
      ...(recent && all ? [fromCalls('minute', number, since('minute', MINUTES_FOR))] : []),
      fromCalls(main(kind) ? 'hour' : 'day', number),
      ...(recent && !main(kind) ? [fromCalls('hour', number, since('hour', HOURS_OF_EACH_FOR))] : []),
    ]),
    counted,
    fromPeriod('day', 'hour', all ? mainNumbers : 'true'),
    fromPeriod('week', 'day'),
    fromPeriod('month', 'day'),
    counted,
  ];
}

/** Of each bucket the values in one array: many short sorts, since one of all values would go to the disk. */
const sortedArrays = (table: string, value: string, name: string): string =>
  `(SELECT period, start, no, (SELECT array_agg(v ORDER BY v) FROM unnest(found) v) AS ${name}
    FROM (SELECT period, start, no, array_agg(${value}) AS found FROM ${table} GROUP BY 1, 2, 3 OFFSET 0) a)`;

/** Statements that leave in `u_delta` what these calls are, by period, kind and key; in one transaction. */
export function foldCalls(calls: Calls): string[] {
  // Written as text, which takes half the time of building objects.
  const endpoints = `('{' || string_agg(p.name || ':[' || n || ',' || errors || ',' || coalesce(time_sum, 0) || ',' || timed || ']', ',') || '}')::jsonb`;
  return [
    // The planner cannot know how far calls sum up: it would sort millions, and look up keys of few one by one.
    'SET LOCAL enable_sort = off',
    'SET LOCAL enable_nestloop = off',
    ...readCalls(calls),
    `CREATE TEMP TABLE u_named ON COMMIT DROP AS
     SELECT c.bucket, c.server, c.tenant, p.no AS path, ${SUMS} FROM u_paths c JOIN u_names p USING (path) GROUP BY 1, 2, 3, 4`,
    'ANALYZE u_named (bucket, server, tenant, path)',
    ...MEASURES.flatMap((measure) => sumMeasure(measure, calls.recent)),
    ...sketchLatencies(),
    `CREATE TEMP TABLE u_delta ON COMMIT DROP AS
     SELECT (ARRAY[${PERIODS.map((period) => `'${period}'`).join()}])[s.period + 1] AS period, s.start, k.kind, k.key,
       s.n, s.errors, coalesce(s.time_sum, 0) AS time_sum, s.timed, s.bytes, s.s2, s.s3, s.s5, l.sketch, r.clients,
       e.endpoints
     FROM u_sums s JOIN u_keys k USING (no)
     LEFT JOIN u_sketches l USING (period, start, no)
     LEFT JOIN ${sortedArrays('u_registers', 'entry', 'clients')} r USING (period, start, no)
     LEFT JOIN (SELECT period, start, o.no,
         CASE WHEN count(*) > 100 THEN vitals.merge_endpoints(${endpoints}, NULL) ELSE ${endpoints} END AS endpoints
       FROM u_endpoints o JOIN (SELECT no AS path, to_json(named)::text AS name FROM u_names GROUP BY no, named) p USING (path)
       GROUP BY 1, 2, 3) e USING (period, start, no)`,
    'ANALYZE u_delta (period, start, kind, key)',
    'SET LOCAL enable_sort = on',
    'SET LOCAL enable_nestloop = on',
  ];
}
