import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres, { type Notice, type Options, type Sql } from 'postgres';
import { cleanUrl, connectionOptions } from './connection-options.ts';
import * as schema from './schema/index.ts';

/** Drizzle over our whole schema: `db.query.user.findMany({ with: { tenant: true } })` and all the rest. */
export type Database = PostgresJsDatabase<typeof schema> & { $client: Sql };

export interface DatabaseConnection {
  db: Database;
  /** The postgres.js client underneath, for what Drizzle has no words for (LISTEN, reserved sessions). */
  sql: Sql;
  /** Waits up to five seconds for running queries, then closes every connection. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** The most connections at once; 20 unless told. */
  poolSize?: number;
  /** As pg_stat_activity shows it. */
  applicationName?: string;
  /** PostgreSQL's notices; dropped unless given. */
  onNotice?: (notice: Notice) => void;
}

/** The bare postgres.js client: what migrations and checks use, without Drizzle over it. */
export function openClient(url: string, options: ConnectOptions = {}): Sql {
  return postgres(
    cleanUrl(url),
    connectionOptions(url, {
      poolSize: options.poolSize ?? 20,
      applicationName: options.applicationName ?? 'mcp-vitals',
      onNotice: options.onNotice ?? (() => undefined),
    }),
  );
}

/**
 * One connection of its own to where `sql` leads, for locks and transactions that last. When it is lost, every
 * further statement fails: never would the rest of a transaction run outside of it, on another connection (a
 * session that is reserved from a pool waits for ever then). `end` closes it.
 */
export function openSession(sql: Sql): Sql {
  const session = postgres({
    ...sql.options,
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    onclose: () => void session.end({ timeout: 0 }),
  } as unknown as Options<Record<string, never>>);
  return session;
}

/**
 * A pool over the database. It connects when first used: `waitForDatabase` tells whether anything is
 * there. Idle connections are closed, statements are prepared, TLS follows the URL's sslmode.
 */
export function connectDatabase(url: string, options: ConnectOptions = {}): DatabaseConnection {
  const sql = openClient(url, options);
  return { db: drizzle(sql, { schema }), sql, close: () => sql.end({ timeout: 5 }) };
}
