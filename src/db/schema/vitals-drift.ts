/** What servers offered, when, and what they are held to. */
import { bigint, index, integer, jsonb, text } from 'drizzle-orm/pg-core';
import type { Change, Grade } from '../../core/drift/change.ts';
import { GRADES } from '../../core/drift/change.ts';
import type { SnapshotItems } from '../../core/drift/listing.ts';
import type { ServerIdentity } from '../../core/drift/rules/server-renamed.ts';
import { at } from './columns.ts';
import { mcpServer } from './mcp.ts';
import { vitals } from './vitals.ts';

/** One definition as it was sent, stored once for all servers and times: `hash` is of its canonical JSON. */
export const definition = vitals.table(
  'definition',
  {
    hash: text('hash').primaryKey(),
    /** Canonical JSON as text: jsonb would take neither NUL nor every depth. null when it was too large to keep. */
    body: text('body'),
    /** The length of the canonical JSON, also of what was not kept. */
    bytes: integer('bytes').notNull(),
    /** When a snapshot last needed it, to an hour: what nothing needs any more is deleted some time after. */
    usedAt: at('used_at').notNull(),
  },
  (table) => [index('definition_used_idx').on(table.usedAt)],
);

/** A whole inventory: the hashes of its definitions. Stored once, by the hash of them all. */
export const inventorySnapshot = vitals.table('inventory_snapshot', {
  hash: text('hash').primaryKey(),
  serverName: text('server_name'),
  /** By kind: pairs of name (or uri) and the definition's hash, sorted by name. */
  items: jsonb('items').$type<SnapshotItems>().notNull(),
  /** An estimate of what the listing costs a model to read, in tokens. */
  tokens: integer('tokens').notNull(),
  createdAt: at('created_at').notNull(),
  usedAt: at('used_at').notNull(),
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
    /** null for the first. */
    previousHash: text('previous_hash'),
    /** What the server called itself, and what the registry said of it then. */
    identity: jsonb('identity').$type<ServerIdentity>().notNull(),
    /** The worst of the graded changes against the one before; of a first inventory what is suspicious in it. */
    changes: jsonb('changes').$type<Change[]>().notNull(),
    /** How many there are of each grade, also of those that are not listed. */
    counts: jsonb('counts').$type<Record<Grade, number>>().notNull(),
    /** The worst of them; null when there is none. */
    grade: text('grade', { enum: GRADES }),
    tokens: integer('tokens').notNull(),
    previousTokens: integer('previous_tokens'),
    /** What it added to the database, roughly: a server's changes are kept to a number of bytes. */
    keptBytes: integer('kept_bytes').notNull(),
    changedAt: at('changed_at').notNull(),
  },
  (table) => [
    index('inventory_change_server_idx').on(table.serverId, table.changedAt),
    index('inventory_change_snapshot_idx').on(table.snapshotHash),
  ],
);

/** The inventory that a person holds a server to. */
export const inventoryPin = vitals.table(
  'inventory_pin',
  {
    serverId: text('server_id')
      .primaryKey()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    snapshotHash: text('snapshot_hash')
      .notNull()
      .references(() => inventorySnapshot.hash),
    pinnedAt: at('pinned_at').notNull(),
    pinnedBy: text('pinned_by'),
  },
  (table) => [index('inventory_pin_snapshot_idx').on(table.snapshotHash)],
);
