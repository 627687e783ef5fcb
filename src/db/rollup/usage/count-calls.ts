/** A path that names a tool: /v1/servers/one/tools/search, /tools/search/call. */
const TOOL_OF_PATH = `CASE WHEN path ~ '/tools/[^/?]+' THEN nullif(nullif(substring(path from '/tools/([^/?]+)'), 'call'), 'list') END`;
const capped = (value: string): string => `least(greatest(${value}, 0), 2147483647)::int`;
const OLD = (counter: string): string => `coalesce(${counter}, 0)::bigint`;

const MEASURES = ['calls', 'errors', 'time_sum', 'timed'] as const;
const LEDGER_COLUMNS = ['server_id', 'day', 'tool', ...MEASURES].join(', ');
const DAY_OF_BUCKET = `(bucket AT TIME ZONE 'UTC')::date`;

/** `u_counted`: the calls of `u_calls` and `u_paths` by server and day, and by tool where one that is known is named. */
const sumByDay = (): string => `
  CREATE TEMP TABLE u_counted ON COMMIT DROP AS
  SELECT server_id, ${DAY_OF_BUCKET} AS day, '' AS tool, sum(n)::bigint AS calls, sum(errors)::bigint AS errors,
    0::bigint AS time_sum, 0::bigint AS timed, max(last_at) AS last_at FROM u_calls GROUP BY 1, 2
  UNION ALL SELECT * FROM (
    SELECT server_id, ${DAY_OF_BUCKET} AS day, coalesce(tool, ${TOOL_OF_PATH}) AS tool, sum(n)::bigint, sum(errors)::bigint,
      coalesce(sum(time_sum), 0)::bigint, sum(timed)::bigint, max(last_at) FROM u_paths GROUP BY 1, 2, 3) p
  WHERE (server_id, tool) IN (SELECT server_id, name FROM mcp_tool WHERE name <> '')`;

/** Adds `u_change` to the rows of servers and tools; rows are locked in the order of their ids, as everything does. */
const applyChange = (): string[] => [
  `SELECT 1 FROM mcp_server WHERE id IN (SELECT server_id FROM u_change) ORDER BY id FOR NO KEY UPDATE`,
  `UPDATE mcp_server m SET request_count = ${capped(`${OLD('m.request_count')} + c.calls`)},
     error_count = ${capped(`${OLD('m.error_count')} + c.errors`)}, last_used_at = greatest(m.last_used_at, c.last_at)
   FROM u_change c WHERE c.tool = '' AND m.id = c.server_id`,
  // A mean cannot be added to without its sums: what the gateway had before us goes in as it was.
  `INSERT INTO vitals.tool_time (tool_id, time_sum, timed)
   SELECT t.id, coalesce(round(t.avg_execution_time * t.call_count), 0)::bigint,
     CASE WHEN t.avg_execution_time IS NULL THEN 0 ELSE ${OLD('t.call_count')} END
   FROM u_change c JOIN mcp_tool t ON t.server_id = c.server_id AND t.name = c.tool WHERE c.tool <> '' ORDER BY 1
   ON CONFLICT DO NOTHING`,
  `UPDATE vitals.tool_time x SET time_sum = x.time_sum + c.time_sum, timed = x.timed + c.timed
   FROM u_change c JOIN mcp_tool t ON t.server_id = c.server_id AND t.name = c.tool
   WHERE c.tool <> '' AND x.tool_id = t.id AND (c.time_sum, c.timed) <> (0, 0)`,
  `UPDATE mcp_tool t SET call_count = ${capped(`${OLD('t.call_count')} + c.calls`)},
     error_count = ${capped(`${OLD('t.error_count')} + c.errors`)}, last_used_at = greatest(t.last_used_at, c.last_at),
     avg_execution_time = CASE WHEN x.timed > 0 THEN least(9999999, round(x.time_sum::numeric / x.timed, 3))
       WHEN c.timed = 0 THEN t.avg_execution_time END
   FROM u_change c, vitals.tool_time x
   WHERE c.tool <> '' AND t.server_id = c.server_id AND t.name = c.tool AND x.tool_id = t.id`,
];

/** Counts the calls of `u_calls` and `u_paths` in the rows of their servers and tools, and notes what it counted. */
export const countCalls = (): string[] => [
  sumByDay(),
  `INSERT INTO vitals.usage_counted AS l (${LEDGER_COLUMNS}) SELECT ${LEDGER_COLUMNS} FROM u_counted ORDER BY 1, 2, 3
   ON CONFLICT (server_id, day, tool) DO UPDATE SET ${MEASURES.map((name) => `${name} = l.${name} + excluded.${name}`).join(', ')}`,
  `CREATE TEMP TABLE u_change ON COMMIT DROP AS
   SELECT server_id, tool, ${MEASURES.map((name) => `sum(${name})::bigint AS ${name}`).join(', ')}, max(last_at) AS last_at
   FROM u_counted GROUP BY 1, 2`,
  ...applyChange(),
];

/**
 * `u_uncovered`: servers of which more was counted at a day (SQL) than is noted, by a release that took no notes:
 * what their counters hold of it is not known. To be called while the day's buckets are as they were.
 */
export const findUncovered = (day: string): string => `
  CREATE TEMP TABLE u_uncovered ON COMMIT DROP AS
  SELECT b.key AS server_id FROM vitals.usage_bucket b
  LEFT JOIN vitals.usage_counted l ON l.server_id = b.key AND l.day = (${day} AT TIME ZONE 'UTC')::date AND l.tool = ''
  WHERE b.period = 'day' AND b.period_start = ${day} AND b.kind = 'server' AND coalesce(l.calls, 0) < b.requests`;

/** Makes the counters hold of a day (SQL) what `u_calls` and `u_paths` say; what differs is left in `u_change`. */
export function recountCalls(day: string): string[] {
  const ofDay = `l.day = (${day} AT TIME ZONE 'UTC')::date`;
  const same = 'n.server_id = l.server_id AND n.tool = l.tool';
  return [
    sumByDay(),
    `CREATE TEMP TABLE u_change ON COMMIT DROP AS SELECT * FROM (
       SELECT coalesce(n.server_id, l.server_id) AS server_id, coalesce(n.tool, l.tool) AS tool,
         ${MEASURES.map((name) => `coalesce(n.${name}, 0) - coalesce(l.${name}, 0) AS ${name}`).join(', ')}, n.last_at
       FROM u_counted n FULL JOIN (SELECT * FROM vitals.usage_counted l WHERE ${ofDay}) l ON ${same}) d
     WHERE (${MEASURES.join(', ')}) <> (0, 0, 0, 0) AND server_id NOT IN (SELECT server_id FROM u_uncovered)`,
    ...applyChange(),
    `DELETE FROM vitals.usage_counted l WHERE ${ofDay} AND NOT EXISTS (SELECT 1 FROM u_counted n WHERE ${same})`,
    `INSERT INTO vitals.usage_counted AS l (${LEDGER_COLUMNS}) SELECT ${LEDGER_COLUMNS} FROM u_counted ORDER BY 1, 2, 3
     ON CONFLICT (server_id, day, tool) DO UPDATE SET ${MEASURES.map((name) => `${name} = excluded.${name}`).join(', ')}
     WHERE (${MEASURES.map((name) => `l.${name}`).join(', ')}) <> (${MEASURES.map((name) => `excluded.${name}`).join(', ')})`,
  ];
}
