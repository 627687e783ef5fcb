import { type SQL, sql } from 'drizzle-orm';

/**
 * PostgreSQL refuses to read json that holds a NUL or half of a surrogate pair, whoever wrote it: such a row
 * counts as one without metrics. Looking for any escape first spares nearly all rows the expression.
 */
const ofMetrics = (path: string): SQL => sql`(CASE
  WHEN strpos(h.metrics::text, '\\u') = 0 OR h.metrics::text !~* '\\\\u(0000|d[89a-f])'
  THEN h.metrics#>>${sql.raw(`'{custom,${path}}'`)} END)`;

/** The verdict and the reason of a history row (h), as our own rows have them; null in those of others. */
export const HISTORY_VERDICT = ofMetrics('verdict');
export const HISTORY_REASON = ofMetrics('reason');
