import { defineConfig } from 'drizzle-kit';
import { OWN_TABLES } from './src/db/own-tables.ts';

/**
 * For drizzle-kit. `mcp-vitals db …` sets the two variables, so that the embedded database and
 * DATABASE_URL both work; run by hand, drizzle-kit uses DATABASE_URL.
 */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/schema/index.ts',
  out: process.env.VITALS_KIT_OUT ?? './drizzle',
  dbCredentials: { url: process.env.VITALS_KIT_URL ?? process.env.DATABASE_URL ?? '' },
  schemaFilter: ['public', 'vitals'],
  tablesFilter: OWN_TABLES,
  migrations: { schema: 'vitals', table: '__migrations' },
  strict: true,
  verbose: true,
});
