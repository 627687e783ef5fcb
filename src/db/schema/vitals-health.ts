/** The health history of servers, summed by time: a table for each length of bucket. */
import { bigint, index, integer, jsonb, primaryKey, real, text } from 'drizzle-orm/pg-core';
import type { ReasonCounts } from '../../core/history/worst-reason.ts';
import type { Reason } from '../../core/reasons.ts';
import { at } from './columns.ts';
import { mcpServer } from './mcp.ts';
import { vitals } from './vitals.ts';

const bucketColumns = () => ({
  serverId: text('server_id')
    .notNull()
    .references(() => mcpServer.id, { onDelete: 'cascade' }),
  /** The beginning of the bucket, in UTC. */
  at: at('at').notNull(),
  /** Checks by verdict. */
  up: integer('up').notNull().default(0),
  degraded: integer('degraded').notNull().default(0),
  down: integer('down').notNull().default(0),
  unauthenticated: integer('unauthenticated').notNull().default(0),
  waking: integer('waking').notNull().default(0),
  unknown: integer('unknown').notNull().default(0),
  maintenance: integer('maintenance').notNull().default(0),
  /** The uptime is healthy / counted. */
  healthy: integer('healthy').notNull().default(0),
  counted: integer('counted').notNull().default(0),
  /** How many checks had a response time, and their sum. */
  responses: integer('responses').notNull().default(0),
  responseMsSum: bigint('response_ms_sum', { mode: 'number' }).notNull().default(0),
  /** What the sketch says. */
  p50Ms: real('p50_ms'),
  p95Ms: real('p95_ms'),
  p99Ms: real('p99_ms'),
  /** Of the response times, as core/sketch has it. */
  latency: bigint('latency', { mode: 'number' }).array().notNull(),
  /** Checks by reason, without `ok`; null: none. */
  reasons: jsonb('reasons').$type<ReasonCounts>(),
  /** The worst of them; null when the worst verdict came without one. */
  worstReason: text('worst_reason').$type<Reason>(),
});

/** Old buckets are deleted by their time alone. */
const timeIndex = (name: string, table: { at: Parameters<ReturnType<typeof index>['on']>[0] }) =>
  index(name).on(table.at);

export const healthMinute = vitals.table('health_minute', bucketColumns(), (table) => [
  primaryKey({ columns: [table.serverId, table.at] }),
  timeIndex('health_minute_at_idx', table),
]);

export const healthHour = vitals.table('health_hour', bucketColumns(), (table) => [
  primaryKey({ columns: [table.serverId, table.at] }),
  timeIndex('health_hour_at_idx', table),
]);

/** A third of a UTC day: three months in some 300 points. */
export const healthShift = vitals.table('health_shift', bucketColumns(), (table) => [
  primaryKey({ columns: [table.serverId, table.at] }),
  timeIndex('health_shift_at_idx', table),
]);

export const healthDay = vitals.table('health_day', bucketColumns(), (table) => [
  primaryKey({ columns: [table.serverId, table.at] }),
  timeIndex('health_day_at_idx', table),
]);

/**
 * The finished points of a server's shifts in seven days: three months of many servers are read from few rows,
 * that lie close together. Made of `health_shift` whenever that changes; made and read by core/history alone.
 */
export const healthShiftWeek = vitals.table(
  'health_shift_week',
  {
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    /** A multiple of seven days since 1970. */
    at: at('at').notNull(),
    points: text('points').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.serverId, table.at] }),
    timeIndex('health_shift_week_at_idx', table),
  ],
);
