/** What servers offered, when, and what they are held to. */
import { bigint, index, integer, jsonb, text } from 'drizzle-orm/pg-core';
import type { InventoryKind } from '../../core/outcome.ts';
import { at } from './columns.ts';
import type { JsonObject } from './json.ts';
import { mcpServer } from './mcp.ts';
import { vitals } from './vitals.ts';

/** One definition as it was sent, stored once for all servers and times: `hash` is of its canonical JSON. */
export const definition = vitals.table('definition', {
  hash: text('hash').primaryKey(),
  /** Canonical JSON as text: jsonb would take neither NUL nor every depth. */
  body: text('body').notNull(),
  /** An estimate of what it costs a model to read, in tokens. */
  tokens: integer('tokens').notNull(),
});

/** A whole inventory: the hashes of its definitions. Stored once, by the hash of them all. */
export const inventorySnapshot = vitals.table('inventory_snapshot', {
  hash: text('hash').primaryKey(),
  /** By kind: pairs of name (or uri) and the definition's hash, sorted by name. */
  items: jsonb('items').$type<Record<InventoryKind, [key: string, hash: string][]>>().notNull(),
  tokens: integer('tokens').notNull(),
  createdAt: at('created_at').notNull(),
});

/** When a server's inventory became which snapshot. */
export const inventoryChange = vitals.table(
  'inventory_change',
  {
    id: bigint('id', { mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    snapshotHash: text('snapshot_hash')
      .notNull()
      .references(() => inventorySnapshot.hash),
    previousHash: text('previous_hash'),
    serverInfo: jsonb('server_info').$type<JsonObject>(),
    /** The graded changes against the one before; null for the first. */
    changes: jsonb('changes').$type<JsonObject[]>(),
    /** The worst of them. */
    grade: text('grade', { enum: ['breaking', 'suspicious', 'additive', 'cosmetic'] }),
    changedAt: at('changed_at').notNull(),
  },
  (table) => [
    index('inventory_change_server_idx').on(table.serverId, table.changedAt),
    index('inventory_change_snapshot_idx').on(table.snapshotHash),
  ],
);

/** The inventory that a person holds a server to. */
export const inventoryPin = vitals.table('inventory_pin', {
  serverId: text('server_id')
    .primaryKey()
    .references(() => mcpServer.id, { onDelete: 'cascade' }),
  snapshotHash: text('snapshot_hash')
    .notNull()
    .references(() => inventorySnapshot.hash),
  pinnedAt: at('pinned_at').notNull(),
  pinnedBy: text('pinned_by'),
});
