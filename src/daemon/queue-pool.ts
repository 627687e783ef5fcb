import type { PoolConfig } from 'pg';
import type { DatabaseConnection } from '../db/client.ts';

/**
 * How node-postgres is to reach the database that postgres.js already reached. The two read `sslmode`
 * differently, so the second is told what the first got: TLS or not, checked as strictly.
 */
export async function queuePoolConfig(
  database: Pick<DatabaseConnection, 'sql'> & { url: string },
): Promise<PoolConfig> {
  const url = new URL(database.url);
  const mode = url.searchParams.get('sslmode');
  const { options } = database.sql;
  const [row] = await database.sql<{ ssl: boolean }[]>`
    SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
  const strict = mode === 'verify-full' || mode === 'verify-ca';
  const tls = typeof options.ssl === 'object' ? options.ssl : { rejectUnauthorized: strict };
  return {
    host: options.host[0] ?? 'localhost',
    port: options.port[0] ?? 5432,
    user: options.user ?? undefined,
    // postgres.js has read it from the URL, and minds a stray `%` less than a decoder does.
    password: typeof options.pass === 'string' ? options.pass : undefined,
    database: options.database,
    ssl: row?.ssl ? tls : false,
  };
}
