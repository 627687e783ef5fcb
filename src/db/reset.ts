import { isIP } from 'node:net';
import { parseDatabaseUrl } from './connection-options.ts';
import { ResetRefusedError } from './errors.ts';
import { migrateDatabase, withClient } from './migrate.ts';
import { withMigrationLock } from './migrations/migration-lock.ts';
import { CONTRACT_TABLE_NAMES } from './own-tables.ts';

export interface ResetOptions {
  /** Reset even what looks like production. */
  force?: boolean;
  /** As configured (NODE_ENV). */
  nodeEnv?: string;
}

export interface ResetReport {
  /** Tables of ours that were there, and were made anew. */
  dropped: string[];
  /** Foreign keys of other tables that pointed to ours: they had to go, their tables did not. */
  cutForeignKeys: string[];
}

function isLocal(url: string): boolean {
  const parsed = parseDatabaseUrl(url);
  const host = parsed.searchParams.get('host') ?? parsed.hostname.replace(/^\[|\]$/g, '');
  if (host === '' || host.startsWith('/') || host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}

function refuseProduction(url: string, options: ResetOptions): void {
  if (options.force) return;
  const reason =
    options.nodeEnv === 'production'
      ? 'NODE_ENV is production'
      : isLocal(url)
        ? undefined
        : 'its host is not this machine';
  if (reason)
    throw new ResetRefusedError(
      `this looks like a production database (${reason}): add --force to reset it all the same`,
    );
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Drops our tables (the contract's in public, the schemas vitals and bullmq) and makes them anew,
 * empty. Everything else in the database stays, the gateway's further tables among it.
 */
export async function resetDatabase(
  url: string,
  migrationsDir: string,
  options: ResetOptions = {},
): Promise<ResetReport> {
  refuseProduction(url, options);
  const report = await withClient(url, (sql) =>
    withMigrationLock(sql, async (session) => {
      const present = await session<{ name: string }[]>`
        SELECT tablename AS name FROM pg_tables
         WHERE schemaname = 'public' AND tablename = ANY(${CONTRACT_TABLE_NAMES}) ORDER BY tablename`;
      const foreign = await session<{ owner: string; name: string }[]>`
        SELECT k.conrelid::regclass::text AS owner, k.conname AS name
          FROM pg_constraint k
          JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
          JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE k.contype = 'f' AND fn.nspname = 'public' AND f.relname = ANY(${CONTRACT_TABLE_NAMES})
           AND n.nspname NOT IN ('vitals', 'vitals_partitions', 'bullmq')
           AND NOT (n.nspname = 'public' AND c.relname = ANY(${CONTRACT_TABLE_NAMES}))`;
      await session`BEGIN`;
      try {
        await session`SET LOCAL lock_timeout = '10s'`;
        await session`DROP SCHEMA IF EXISTS vitals CASCADE`;
        await session`DROP SCHEMA IF EXISTS bullmq CASCADE`;
        for (const { owner, name } of foreign)
          await session.unsafe(`ALTER TABLE ${owner} DROP CONSTRAINT ${quote(name)}`);
        // No CASCADE: a view or a table of somebody else's that needs ours stops the reset as a whole.
        if (present.length > 0)
          await session.unsafe(`DROP TABLE ${present.map(({ name }) => `public.${quote(name)}`).join(', ')}`);
        // Its partitions have gone with their tables; what was detached from them is here still.
        await session`DROP SCHEMA IF EXISTS vitals_partitions CASCADE`;
        await session`COMMIT`;
      } catch (error) {
        await session`ROLLBACK`;
        throw error;
      }
      return {
        dropped: present.map(({ name }) => name),
        cutForeignKeys: foreign.map(({ owner, name }) => `${owner}.${name}`),
      };
    }),
  );
  await migrateDatabase(url, migrationsDir);
  return report;
}
