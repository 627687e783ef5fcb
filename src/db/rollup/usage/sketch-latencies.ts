import { numberOf, startOf } from './periods.ts';

/** How a bin and whose it is are one number: the bin, the number of a server or tenant, and the hour. */
const [BIN_BITS, NO_BITS, COUNT_BITS] = [12, 30, 40];

/**
 * Latencies as sketches (`u_sketches`): the bins of an hour's calls are sorted as numbers that begin with the hour
 * and whose it is, which is several times faster than to count each bin in a hash table; what is longer than an
 * hour is merged from hours and days.
 */
export function sketchLatencies(): string[] {
  const [hour, day, week, month] = (['hour', 'day', 'week', 'month'] as const).map(numberOf);
  const sketch = `array_agg((bin << ${COUNT_BITS}) + n ORDER BY bin)`;
  // What stands beside an unnest is computed for each element; behind OFFSET 0, for each row.
  const ofCalls = (number: string) => `
    INSERT INTO u_sketches SELECT ${hour}, to_timestamp((whose >> ${NO_BITS}) * 3600), (whose & ${2 ** NO_BITS - 1})::int, ${sketch}
    FROM (SELECT packed >> ${BIN_BITS} AS whose, packed & ${2 ** BIN_BITS - 1} AS bin, count(*) AS n FROM (
      SELECT packed + unnest(bins) AS packed FROM (
        SELECT ((floor(extract(epoch FROM bucket) / 3600)::bigint << ${NO_BITS}) + ${number}) << ${BIN_BITS} AS packed, bins
        FROM u_numbered WHERE ${number} IS NOT NULL OFFSET 0) r ORDER BY 1) c GROUP BY packed) b GROUP BY whose`;
  const merged = (period: number | undefined, start: string, no: string, where: string) => `
    INSERT INTO u_sketches SELECT ${period}, at, no, ${sketch} FROM (
      SELECT at, no, e >> ${COUNT_BITS} AS bin, sum(e & ${2 ** COUNT_BITS - 1})::bigint AS n FROM (
        SELECT at, no, unnest(sketch) AS e FROM (
          SELECT ${start} AS at, ${no} AS no, sketch FROM u_sketches WHERE ${where} OFFSET 0) r) e
      GROUP BY 1, 2, 3) b GROUP BY 1, 2, 3`;
  return [
    'CREATE TEMP TABLE u_sketches (period smallint, start timestamptz, no int, sketch bigint[]) ON COMMIT DROP',
    'SET LOCAL enable_sort = on',
    'SET LOCAL enable_hashagg = off',
    ofCalls('server'),
    ofCalls('tenant'),
    'SET LOCAL enable_hashagg = on',
    merged(hour, 'start', '0', `no IN (SELECT no FROM u_keys WHERE kind = 'server')`),
    merged(day, startOf.day('start'), 'no', `period = ${hour}`),
    merged(week, startOf.week('start'), 'no', `period = ${day}`),
    merged(month, startOf.month('start'), 'no', `period = ${day}`),
    'ANALYZE u_sketches (period, start, no)',
    'SET LOCAL enable_sort = off',
  ];
}
