import { CLOCK_LEEWAY_MS } from '../../queries/fragments.ts';

/** A response time longer than this, in milliseconds, is nobody's. */
const LONGEST_RESPONSE_MS = 86_400_000;
/** A call from before this moment has a broken clock behind it. */
const FIRST_MOMENT = `'2000-01-01 00:00+00'::timestamptz`;

/** Why a call is not counted: the first that is true, in SQL over api_usage. */
const PROBLEMS = {
  no_server: 'server_id IS NULL',
  status: 'status_code NOT BETWEEN 100 AND 599',
  response_time: `response_time NOT BETWEEN 0 AND ${LONGEST_RESPONSE_MS}`,
  future: `requested_at > now() + interval '${CLOCK_LEEWAY_MS} milliseconds'`,
  ancient: `requested_at < ${FIRST_MOMENT}`,
} as const;

/** Late is a call that is older than this moment, in milliseconds; null: none is. */
const isLate = (lateBeforeMs: number | null): string =>
  lateBeforeMs === null ? 'false' : `requested_at < to_timestamp(${lateBeforeMs / 1000}::float8)`;

export const isGood = (lateBeforeMs: number | null): string =>
  `server_id IS NOT NULL AND status_code BETWEEN 100 AND 599
   AND (response_time IS NULL OR response_time BETWEEN 0 AND ${LONGEST_RESPONSE_MS})
   AND requested_at >= ${FIRST_MOMENT} AND requested_at <= now() + interval '${CLOCK_LEEWAY_MS} milliseconds'
   ${lateBeforeMs === null ? '' : `AND NOT ${isLate(lateBeforeMs)}`}`;

export const problemOf = (lateBeforeMs: number | null): string =>
  `CASE ${Object.entries(PROBLEMS)
    .map(([problem, when]) => `WHEN ${when} THEN '${problem}'`)
    .join(' ')} WHEN ${isLate(lateBeforeMs)} THEN 'late' END`;
