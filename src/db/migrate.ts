import type { Sql } from 'postgres';
import { openClient } from './client.ts';
import { AdoptionNeededError } from './errors.ts';
import { applyMigration } from './migrations/apply-migration.ts';
import { createBookkeeping, readApplied, recordMigration, type Session } from './migrations/bookkeeping.ts';
import { withMigrationLock } from './migrations/migration-lock.ts';
import { type Migration, readMigrations } from './migrations/read-migrations.ts';
import { CONTRACT_TABLE_NAMES } from './own-tables.ts';
import { partitionCreated } from './partitions/partition-created.ts';

export interface MigrationReport {
  /** The migrations that were applied just now, in order; empty when there was nothing to do. */
  applied: string[];
}

/** Runs `work` on a client of its own for a URL, or on the one that was given. */
export async function withClient<T>(target: string | Sql, work: (sql: Sql) => Promise<T>): Promise<T> {
  if (typeof target !== 'string') return work(target);
  const sql = openClient(target, { poolSize: 2, applicationName: 'mcp-vitals: migrate' });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** A migration is known by its time as well as by its hash: a comment corrected in its file does not run it again. */
async function findPending(session: Session, migrations: Migration[]): Promise<Migration[]> {
  const applied = (await readApplied(session)) ?? [];
  return migrations.filter(
    ({ hash, when }) => !applied.some((earlier) => earlier.hash === hash || earlier.when === when),
  );
}

/** Applies what is pending, in order; the caller holds the migration lock. */
export async function applyPending(session: Session, migrations: Migration[]): Promise<MigrationReport> {
  await createBookkeeping(session);
  const pending = await findPending(session, migrations);
  for (const migration of pending) await applyMigration(session, migration);
  return { applied: pending.map(({ tag }) => tag) };
}

/** Marks the first migration, the gateway's own 31 tables, as applied without running it. */
export async function markBaseline(session: Session, migrations: Migration[]): Promise<void> {
  const [baseline] = migrations;
  if (!baseline) throw new Error('there is no baseline among the migrations');
  await createBookkeeping(session);
  if ((await findPending(session, [baseline])).length > 0)
    await recordMigration(session, baseline, { ran: false });
}

export async function findContractTables(session: Session): Promise<string[]> {
  const rows = await session<{ tablename: string }[]>`
    SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(${CONTRACT_TABLE_NAMES})
     ORDER BY tablename`;
  return rows.map(({ tablename }) => tablename);
}

/**
 * Brings a database to our newest migration. Two processes may do so at once. A database that has
 * some of the gateway's tables and none of our bookkeeping is left alone: AdoptionNeededError.
 */
export async function migrateDatabase(target: string | Sql, migrationsDir: string): Promise<MigrationReport> {
  const migrations = readMigrations(migrationsDir);
  return withClient(target, async (sql) => {
    const report = await withMigrationLock(sql, async (session) => {
      const applied = await readApplied(session);
      const tables = applied?.length ? [] : await findContractTables(session);
      if (tables.length > 0)
        throw new AdoptionNeededError(
          `this database has tables of the gateway's already (${tables.slice(0, 3).join(', ')}${tables.length > 3 ? ', …' : ''}), ` +
            'and we did not make them. To check them and use them as they are, run: mcp-vitals db adopt',
        );
      return applyPending(session, migrations);
    });
    await partitionCreated(sql, migrations[0]);
    return report;
  });
}
