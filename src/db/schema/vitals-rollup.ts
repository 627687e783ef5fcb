/** How far the worker has come in turning raw rows into history. */
import { sql } from 'drizzle-orm';
import { bigint, boolean, date, index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { at } from './columns.ts';
import { mcpTool } from './mcp.ts';
import { vitals } from './vitals.ts';

/** What one rollup has taken of its table; written in the transaction that stores what it made of it. */
export const rollupWatermark = vitals.table('rollup_watermark', {
  rollup: text('rollup').primaryKey(),
  /** The cluster that the transaction ids below are of: another one counts anew. */
  systemIdentifier: text('system_identifier').notNull(),
  /** Rows of transactions below it were taken, and none of those from it on. */
  nextXid: bigint('next_xid', { mode: 'number' }).notNull().default(0),
  /** What arrived before it was taken, all of it: an old row that arrives after it is late. */
  takenAt: at('taken_at'),
  /** The next transaction id there was at a moment: once all below it are taken, that moment is `taken_at`. */
  seenXid: bigint('seen_xid', { mode: 'number' }),
  seenAt: at('seen_at'),
  /**
   * Rows that were there before their transactions were noted (a closed set) are taken in the order of
   * their time: those before this moment were.
   */
  backfilledTo: at('backfilled_to'),
  backfillDone: boolean('backfill_done').notNull().default(false),
  /** The backfill recomputes days instead of adding to them: what it takes was counted before, in part. */
  backfillRebuilds: boolean('backfill_rebuilds').notNull().default(false),
});

const sum = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);

/** What api_usage_stats shows, as it is added to: exact sums, and what quantiles and clients are read from. */
export const usageBucket = vitals.table(
  'usage_bucket',
  {
    period: text('period', { enum: ['minute', 'hour', 'day', 'week', 'month'] }).notNull(),
    periodStart: at('period_start').notNull(),
    kind: text('kind', { enum: ['all', 'server', 'tenant', 'user', 'token'] }).notNull(),
    /** The id of that server, tenant, user or token; empty for all. */
    key: text('key').notNull(),
    requests: sum('requests'),
    /** Statuses from 400 on. */
    errors: sum('errors'),
    /** Of the response times that were given, in milliseconds. */
    timeSum: sum('time_sum'),
    timed: sum('timed'),
    bytes: sum('bytes'),
    status2xx: sum('status_2xx'),
    status3xx: sum('status_3xx'),
    status5xx: sum('status_5xx'),
    /** As core/sketch has it; of servers, tenants and all, from hours on. */
    sketch: bigint('sketch', { mode: 'number' }).array(),
    /** A HyperLogLog of addresses: 64 * register + rank, for each register that is not empty. */
    clients: integer('clients').array(),
    /** By path: requests, errors, sum of the times, how many there were. */
    endpoints: jsonb('endpoints').$type<Record<string, [number, number, number, number]>>(),
  },
  (table) => [
    primaryKey({ columns: [table.period, table.periodStart, table.kind, table.key] }),
    // Each run deletes those that are too old: among all hours they would be looked for in the whole history.
    index('usage_bucket_each_hour_idx')
      .on(table.periodStart)
      .where(sql`${table.period} = 'hour' AND ${table.kind} IN ('user', 'token')`)
      .concurrently(),
  ],
);

/**
 * What the counters of servers and tools hold of each day: a day that is recomputed changes them by the
 * difference. Kept as long as there are rows to recompute a day from.
 */
export const usageCounted = vitals.table(
  'usage_counted',
  {
    serverId: text('server_id').notNull(),
    /** In UTC. */
    day: date('day').notNull(),
    /** The name of one of its tools; empty: all calls of the server, whatever they name. */
    tool: text('tool').notNull(),
    calls: sum('calls'),
    errors: sum('errors'),
    timeSum: sum('time_sum'),
    timed: sum('timed'),
  },
  (table) => [
    primaryKey({ columns: [table.serverId, table.day, table.tool] }),
    index('usage_counted_day_idx').on(table.day),
  ],
);

/** What the mean of a tool's calls is made of. */
export const toolTime = vitals.table('tool_time', {
  toolId: uuid('tool_id')
    .primaryKey()
    .references(() => mcpTool.id, { onDelete: 'cascade' }),
  timeSum: sum('time_sum'),
  timed: sum('timed'),
});

/** Raw rows that were not counted, and why. */
export const usageSetAside = vitals.table(
  'usage_set_aside',
  {
    /** Of the run that found them. */
    foundAt: at('found_at').notNull(),
    problem: text('problem').notNull(),
    rows: bigint('rows', { mode: 'number' }).notNull(),
    /** Some of them. */
    examples: uuid('examples').array().notNull().default(sql`'{}'`),
  },
  (table) => [index('usage_set_aside_found_idx').on(table.foundAt)],
);
