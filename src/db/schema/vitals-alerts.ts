/** Alerts, who was told of them, and the outbox between the two. */
import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { ALERT_KINDS, SEVERITIES } from '../../core/alerts/alert.ts';
import type { Message } from '../../core/alerts/compose-message.ts';
import { at } from './columns.ts';
import type { JsonObject } from './json.ts';
import { mcpServer } from './mcp.ts';
import { vitals } from './vitals.ts';

/** Something that is, or was, wrong: at most one of a key fires at a time. */
export const alert = vitals.table(
  'alert',
  {
    /** Stable for this outage: what channels are told by. */
    id: uuid('id').primaryKey().defaultRandom(),
    key: text('key').notNull(),
    kind: text('kind', { enum: ALERT_KINDS }).notNull(),
    severity: text('severity', { enum: SEVERITIES }).notNull(),
    /** null as well when the server is gone: whoever was told that it fires is told that it is over. */
    serverId: text('server_id').references(() => mcpServer.id, { onDelete: 'set null' }),
    tenantId: text('tenant_id'),
    title: text('title').notNull(),
    description: text('description'),
    data: jsonb('data').$type<JsonObject>().notNull().default({}),
    startedAt: at('started_at').notNull(),
    /** null while it fires. */
    resolvedAt: at('resolved_at'),
    /** The incident that speaks for it: an alert of kind incident. */
    incidentId: uuid('incident_id'),
    /** The system_event row of the same thing. */
    eventId: uuid('event_id').notNull(),
  },
  (table) => [
    uniqueIndex('alert_firing_key_idx').on(table.key).where(sql`${table.resolvedAt} IS NULL`),
    index('alert_server_idx').on(table.serverId, table.startedAt),
    index('alert_started_idx').on(table.startedAt),
    // The members of an incident.
    index('alert_incident_idx')
      .on(table.incidentId)
      .where(sql`${table.incidentId} IS NOT NULL`)
      .concurrently(),
    // What is over is deleted by its age, here and below.
    index('alert_resolved_idx')
      .on(table.resolvedAt)
      .where(sql`${table.resolvedAt} IS NOT NULL`)
      .concurrently(),
  ],
);

/** What is still to be told: written with the state change, done when everybody it concerns is on the list of deliveries. */
export const outbox = vitals.table(
  'outbox',
  {
    id: bigint('id', { mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
    alertId: uuid('alert_id')
      .notNull()
      .references(() => alert.id, { onDelete: 'cascade' }),
    transition: text('transition', { enum: ['fire', 'resolve'] }).notNull(),
    createdAt: at('created_at').notNull(),
    /** null until it has become deliveries, or was found to concern nobody. */
    doneAt: at('done_at'),
    /** Why nobody is told of it, or not yet: a short code. */
    heldBecause: text('held_because'),
  },
  (table) => [
    index('outbox_waiting_idx').on(table.createdAt).where(sql`${table.doneAt} IS NULL`),
    index('outbox_alert_idx').on(table.alertId),
    index('outbox_done_idx').on(table.doneAt).where(sql`${table.doneAt} IS NOT NULL`).concurrently(),
  ],
);

/** One message to one channel; recorded as sent only after the channel has accepted it. */
export const delivery = vitals.table(
  'delivery',
  {
    /** The idempotency key: the same for every attempt. */
    id: uuid('id').primaryKey().defaultRandom(),
    channel: text('channel').notNull(),
    /** Alerts of one group go out together. */
    groupKey: text('group_key').notNull(),
    /** The order in which messages of a group go out. */
    seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    /** What must be told once has a name of its own; null where `told` keeps count. */
    onceKey: text('once_key'),
    /** What is said: kept, so that every attempt says the same. */
    message: jsonb('message').$type<Message>().notNull(),
    /** What the message says of which alert. */
    transitions: jsonb('transitions')
      .$type<{ alertId: string; transition: 'fire' | 'resolve' | 'repeat' }[]>()
      .notNull(),
    createdAt: at('created_at').notNull(),
    nextAttemptAt: at('next_attempt_at').notNull(),
    leaseUntil: at('lease_until'),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    sentAt: at('sent_at'),
    /** Given up. */
    failedAt: at('failed_at'),
  },
  (table) => [
    index('delivery_waiting_idx')
      .on(table.nextAttemptAt)
      .where(sql`${table.sentAt} IS NULL AND ${table.failedAt} IS NULL`),
    index('delivery_created_idx').on(table.createdAt).concurrently(),
    index('delivery_group_idx').on(table.channel, table.groupKey, table.seq),
    uniqueIndex('delivery_once_idx').on(table.onceKey).where(sql`${table.onceKey} IS NOT NULL`),
  ],
);

/** What a channel knows of an alert, or will know once it accepts what is on its way: the guard against telling twice. */
export const told = vitals.table(
  'told',
  {
    alertId: uuid('alert_id')
      .notNull()
      .references(() => alert.id, { onDelete: 'cascade' }),
    channel: text('channel').notNull(),
    /** The group in which it was told of the beginning, and will be of the end. */
    groupKey: text('group_key').notNull(),
    /** When it accepted a message about the alert last, or that was planned or given up. */
    lastAt: at('last_at').notNull(),
    /** When the message of its end was planned. */
    resolvedAt: at('resolved_at'),
    /** The beginning was given up: it knows nothing. */
    failedAt: at('failed_at'),
  },
  (table) => [primaryKey({ columns: [table.alertId, table.channel] })],
);
