import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import * as schema from './schema/index.ts';

const tables: PgTable[] = Object.values<unknown>(schema).filter((value) => is(value, PgTable));

/** The gateway's 31 tables, as the contract names them. */
export const CONTRACT_TABLES = tables.filter((table) => getTableConfig(table).schema === undefined);

/** Every table of ours by name: what drizzle-kit may look at; anything else in the database is not ours. */
export const OWN_TABLES = tables.map((table) => getTableName(table));
