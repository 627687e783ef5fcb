import { readFileSync } from 'node:fs';
import type { Notice, Options } from 'postgres';
import { DatabaseUrlError } from './errors.ts';

/** libpq's own words in a URL: postgres.js would send them to the server, which knows none of them. */
const NOT_FOR_THE_SERVER = [
  'sslmode',
  'ssl',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslcompression',
  'sslsni',
  'channel_binding',
  'gssencmode',
  'krbsrvname',
  'passfile',
  'service',
  'requiressl',
  'pgbouncer',
  'schema',
  'connection_limit',
  'pool_timeout',
];

type Tls = NonNullable<Options<Record<string, never>>['ssl']> | false;

/** A URL that PostgreSQL understands, or a typed error that does not repeat it (it may hold a password). */
export function parseDatabaseUrl(url: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new DatabaseUrlError(
      'the database URL is not a URL: expected postgres://user:password@host:5432/name',
    );
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:')
    throw new DatabaseUrlError(
      `the database URL begins with ${parsed.protocol}//: expected postgres:// or postgresql://`,
    );
  return parsed;
}

/** Where a database is, fit for a log line: host, port and name, no user and no password. */
export function describeDatabase(url: string): string {
  const parsed = parseDatabaseUrl(url);
  const host = parsed.searchParams.get('host') ?? (parsed.hostname || 'localhost');
  return `${host}:${parsed.port || '5432'}/${parsed.pathname.slice(1)}`;
}

function readPem(path: string | null): Buffer | undefined {
  return path === null || path === 'system' ? undefined : readFileSync(path);
}

/**
 * What the URL's sslmode asks for, as libpq means it: `allow` and `prefer` take TLS when it is
 * offered, `require` encrypts without a check, `verify-ca` checks the chain, `verify-full` the name too.
 */
function tlsOf(query: URLSearchParams): Tls {
  const root = query.get('sslrootcert');
  const mode = query.get('sslmode') ?? query.get('ssl') ?? (root === null ? 'disable' : 'verify-full');
  const files = { cert: readPem(query.get('sslcert')), key: readPem(query.get('sslkey')), ca: readPem(root) };
  const given = Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
  switch (mode) {
    case 'disable':
    case 'false':
      return false;
    case 'allow':
    case 'prefer':
      return 'prefer';
    case 'require':
    case 'true':
      // With a root certificate of its own, libpq takes `require` for `verify-ca`.
      if (root !== null) return { ...given, rejectUnauthorized: true, checkServerIdentity: () => undefined };
      return Object.keys(given).length > 0 ? { ...given, rejectUnauthorized: false } : 'require';
    case 'verify-ca':
      return { ...given, rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case 'verify-full':
      return { ...given, rejectUnauthorized: true };
    default:
      throw new DatabaseUrlError(
        `sslmode=${mode} is not known: expected disable, allow, prefer, require, verify-ca or verify-full`,
      );
  }
}

/** How postgres.js is to connect; give it together with `cleanUrl(url)`. */
export function connectionOptions(
  url: string,
  pool: { poolSize: number; applicationName: string; onNotice: (notice: Notice) => void },
): Options<Record<string, never>> {
  const parsed = parseDatabaseUrl(url);
  const socketFolder = parsed.searchParams.get('host');
  return {
    ...(socketFolder === null ? {} : { host: socketFolder }),
    ssl: tlsOf(parsed.searchParams),
    max: pool.poolSize,
    idle_timeout: 30,
    connect_timeout: 10,
    prepare: true,
    onnotice: pool.onNotice,
    connection: { application_name: pool.applicationName },
  };
}

/** The URL without what postgres.js would take for server settings. */
export function cleanUrl(url: string): string {
  const parsed = parseDatabaseUrl(url);
  for (const name of [...NOT_FOR_THE_SERVER, 'host', 'application_name']) parsed.searchParams.delete(name);
  return parsed.href;
}
