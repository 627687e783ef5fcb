/**
 * What the worker keeps for itself, in a PostgreSQL schema of its own: it can be added to a gateway's
 * live database, and removed again, without a change to the gateway's tables.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  date,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  real,
  text,
} from 'drizzle-orm/pg-core';
import type { OwnState } from '../../core/health/context.ts';
import type { SharedParts } from '../../core/incidents/shared-parts.ts';
import type { InventoryKind } from '../../core/outcome.ts';
import type { Reason, Verdict } from '../../core/reasons.ts';
import { ERAS } from '../../core/target.ts';
import { at } from './columns.ts';
import type { JsonObject } from './json.ts';
import { mcpServer } from './mcp.ts';

export const vitals = pgSchema('vitals');

/** The schedule and the damped state of one server: the source of truth of who is probed, and when. */
export const serverState = vitals.table(
  'server_state',
  {
    serverId: text('server_id')
      .primaryKey()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    /** Servers of one key share the limit of probes in flight per host. */
    hostKey: text('host_key').notNull().default(''),
    nextProbeAt: at('next_probe_at').notNull(),
    /** Claimed by a sweep until then, or until the result lands. */
    leaseUntil: at('lease_until'),
    /** The planned time that the lease was taken for. */
    leaseSlot: at('lease_slot'),
    /** A probe is in flight until then; `run_token` says whose. Never two at once. */
    runningUntil: at('running_until'),
    runToken: text('run_token'),
    era: text('era', { enum: ERAS }),
    protocolVersion: text('protocol_version'),
    /** What is shown: its own state, or what lies over it (maintenance, another server that is down). */
    verdict: text('verdict').$type<Verdict>(),
    reason: text('reason').$type<Reason>(),
    message: text('message'),
    verdictSince: at('verdict_since'),
    /** The server that it is down or degraded because of. No reference: it may go. */
    becauseOf: text('because_of'),
    /** What it is by itself. */
    own: jsonb('own').$type<OwnState>(),
    /** The mcp_server.status that it has by itself: what comes back when nothing lies over it any more. */
    ownStatus: text('own_status'),
    /** When the first of its failures in a row was seen; null while it does not fail. */
    failingSince: at('failing_since'),
    /** What the state machine remembers between probes; made and read by core/health alone. */
    memory: jsonb('memory').$type<JsonObject>(),
    /** The latencies that were learned; made and read by core/latency alone. */
    latency: jsonb('latency').$type<JsonObject>(),
    /** Its state changes so often that its alerts are held. */
    flapping: boolean('flapping').notNull().default(false),
    /** Of the error budget of its objective, what is left: 1 is all, below 0 it is overdrawn. */
    errorBudgetLeft: real('error_budget_left'),
    /** What it shares with others that may fail with it: host, domain, certificate and token issuer. */
    shared: jsonb('shared').$type<SharedParts>(),
    /** The UTC day that the two counts below are of. */
    budgetDay: date('budget_day'),
    probesToday: integer('probes_today').notNull().default(0),
    bytesToday: bigint('bytes_today', { mode: 'number' }).notNull().default(0),
    lastProbeAt: at('last_probe_at'),
    /** A probe out of turn was asked for then, since real calls begin to fail, or do no longer. */
    hurriedAt: at('hurried_at'),
    /** Failures in a row. */
    failures: integer('failures').notNull().default(0),
    /** Successes in a row. */
    successes: integer('successes').notNull().default(0),
    /** The mcp_server.status that we wrote last: tells an operator's change from ours. */
    statusWritten: text('status_written'),
    /** The version that serverInfo gave and we wrote: tells a learnt version from a registered one. */
    versionLearnt: text('version_learnt'),
    inventoryHash: text('inventory_hash'),
    counts: jsonb('counts').$type<Record<InventoryKind, number>>(),
    updatedAt: at('updated_at')
      .notNull()
      .defaultNow()
      .$onUpdate(() => new Date()),
  },
  (table) => [
    index('server_state_next_probe_idx').on(table.nextProbeAt),
    // The siblings of a server that has begun to fail.
    index('server_state_host_idx').on(table.hostKey, table.lastProbeAt),
    index('server_state_busy_host_idx')
      .on(table.hostKey)
      .where(sql`${table.runningUntil} IS NOT NULL OR ${table.leaseUntil} IS NOT NULL`),
    index('server_state_failing_idx').on(table.failingSince).where(sql`${table.failingSince} IS NOT NULL`),
  ],
);

/** One server's checks of one UTC day, summed: uptime over 30 days without reading its history. */
export const uptimeDay = vitals.table(
  'uptime_day',
  {
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    day: date('day').notNull(),
    checks: integer('checks').notNull().default(0),
    healthy: integer('healthy').notNull().default(0),
    responseMsSum: bigint('response_ms_sum', { mode: 'number' }).notNull().default(0),
    /** How many checks had a response time. */
    responses: integer('responses').notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.serverId, table.day] }),
    index('uptime_day_day_idx').on(table.day).concurrently(),
  ],
);

/** When each of the cluster's recurring jobs ran last, and how that ended. */
export const jobRun = vitals.table('job_run', {
  job: text('job').primaryKey(),
  lastStartedAt: at('last_started_at'),
  lastFinishedAt: at('last_finished_at'),
  lastError: text('last_error'),
  data: jsonb('data').$type<JsonObject>(),
});
