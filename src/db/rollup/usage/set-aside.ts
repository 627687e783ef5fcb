import { isGood, problemOf } from './good-rows.ts';
import { idOf } from './store-delta.ts';

const EXAMPLES = 10;

/** Counts the calls that are not counted, by why (`u_aside`); what unknown tenants did is in `u_unknown`. */
export const findSetAside = (where: string, lateBeforeMs: number | null): string[] => [
  `CREATE TEMP TABLE u_aside ON COMMIT DROP AS
   SELECT problem, sum(n)::bigint AS n, (array_agg(example ORDER BY example))[1:${EXAMPLES}] AS examples FROM (
     SELECT ${problemOf(lateBeforeMs)} AS problem, count(*) AS n, min(id::text)::uuid AS example
     FROM api_usage WHERE (${where}) AND (${isGood(lateBeforeMs)}) IS NOT TRUE
     GROUP BY 1, server_id) p GROUP BY 1`,
  `INSERT INTO u_aside SELECT 'tenant', sum(n)::bigint, '{}' FROM u_unknown HAVING count(*) > 0`,
];

/** Stores and reports what is in `u_aside`. */
export const reportSetAside = (): string[] => [
  `INSERT INTO vitals.usage_set_aside (found_at, problem, rows, examples) SELECT now(), problem, n, examples FROM u_aside`,
  `INSERT INTO system_event AS e (id, type, category, title, severity, source, data, status, occurred_at, created_at)
   SELECT ${idOf(`'set aside ' || problem || ' ' || current_date`)}, 'usage.set_aside', 'system',
     n || ' calls were not counted: ' || problem, 'warning', 'mcp-vitals',
     json_build_object('problem', problem, 'rows', n, 'examples', examples), 'active', now(), now() FROM u_aside
   ON CONFLICT (id) DO UPDATE SET
     title = (coalesce((e.data->>'rows')::bigint, 0) + (excluded.data->>'rows')::bigint) || ' calls were not counted: '
       || (excluded.data->>'problem'),
     data = (excluded.data::jsonb || jsonb_build_object(
       'rows', coalesce((e.data->>'rows')::bigint, 0) + (excluded.data->>'rows')::bigint))::json`,
];
