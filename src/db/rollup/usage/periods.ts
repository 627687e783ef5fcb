export const PERIODS = ['minute', 'hour', 'day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];
/** What stands for a period while calls are summed. */
export const numberOf = (period: Period): number => PERIODS.indexOf(period);

/**
 * What usage is summed by: for each kind the column of a call that says whose it is, and the one that has its
 * number while calls are summed.
 */
export const KINDS = [
  { kind: 'all', column: "''", number: '0' },
  { kind: 'server', column: 'server_id', number: 'server' },
  { kind: 'tenant', column: 'tenant_id', number: 'tenant' },
  { kind: 'user', column: 'user_id', number: '"user"' },
  { kind: 'token', column: 'token_id::text', number: 'token' },
] as const;
export type Kind = (typeof KINDS)[number]['kind'];

/** Of these, hours are kept for good, with latencies and paths; of users and tokens for HOURS_OF_EACH. */
export const MAIN_KINDS: readonly Kind[] = ['all', 'server', 'tenant'];

/** Minutes are made of calls that are not older than this, and kept as long. */
export const MINUTES_FOR = "interval '2 hours'";
/** Hours of users and tokens are made of calls that are not older than this, and kept as long. */
export const HOURS_OF_EACH_FOR = "interval '48 hours'";

/** The start of a period, in SQL; weeks begin on Monday, all of it in UTC (the transaction's time zone). */
export const startOf = {
  minute: (time: string) => `date_bin('1 minute', ${time}, '2000-01-03 00:00+00')`,
  hour: (time: string) => `date_bin('1 hour', ${time}, '2000-01-03 00:00+00')`,
  day: (time: string) => `date_bin('1 day', ${time}, '2000-01-03 00:00+00')`,
  week: (time: string) => `date_bin('7 days', ${time}, '2000-01-03 00:00+00')`,
  month: (time: string) => `date_trunc('month', ${time})`,
} as const;
