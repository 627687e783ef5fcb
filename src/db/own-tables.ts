import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import * as schema from './schema/index.ts';

/** Every table of ours: the gateway's in `public`, and the worker's in `vitals`. */
export const OUR_TABLES: PgTable[] = Object.values<unknown>(schema).filter((value) => is(value, PgTable));

/** The gateway's 31 tables, as the contract names them. */
export const CONTRACT_TABLES = OUR_TABLES.filter((table) => getTableConfig(table).schema === undefined);
export const CONTRACT_TABLE_NAMES = CONTRACT_TABLES.map((table) => getTableName(table));

/** What drizzle-kit may look at, by name: anything else in the database is not ours. */
export const OWN_TABLES = OUR_TABLES.map((table) => getTableName(table));
