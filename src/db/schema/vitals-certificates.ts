/** The certificates that servers showed. */
import { text } from 'drizzle-orm/pg-core';
import { at } from './columns.ts';
import { mcpServer } from './mcp.ts';
import { vitals } from './vitals.ts';

/** The last certificate of each server that has one. */
export const serverCertificate = vitals.table('server_certificate', {
  serverId: text('server_id')
    .primaryKey()
    .references(() => mcpServer.id, { onDelete: 'cascade' }),
  issuer: text('issuer'),
  subject: text('subject'),
  expiresAt: at('expires_at').notNull(),
  /** When it was shown for the first time. */
  seenAt: at('seen_at').notNull(),
});
