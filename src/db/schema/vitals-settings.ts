import { jsonb, text } from 'drizzle-orm/pg-core';
import { at } from './columns.ts';
import type { JsonValue } from './json.ts';
import { vitals } from './vitals.ts';

/** The values of system_config that are in force: what stays when a new one is refused, on every replica and after a restart. */
export const setting = vitals.table('setting', {
  key: text('key').primaryKey(),
  value: jsonb('value').$type<JsonValue>().notNull(),
  appliedAt: at('applied_at').notNull(),
});
