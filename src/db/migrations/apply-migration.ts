import { setTimeout as sleep } from 'node:timers/promises';
import { MigrationBlockedError } from '../errors.ts';
import { recordMigration, type Session } from './bookkeeping.ts';
import type { Migration } from './read-migrations.ts';

const CONCURRENT_INDEX =
  /CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w$]+)"?/i;

/** How long one statement may queue for a table's lock, and hold up everybody behind it. */
const LOCK_TIMEOUT = '3s';
const LOCK_NOT_AVAILABLE = '55P03';
const ATTEMPTS = 10;

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** An index that an interrupted CREATE INDEX CONCURRENTLY left behind is invalid, and in the way. */
async function dropBrokenIndex(session: Session, statement: string): Promise<void> {
  const name = CONCURRENT_INDEX.exec(statement)?.[1];
  if (name === undefined) return;
  const broken = await session`
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS index
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = ${name} AND NOT i.indisvalid AND n.nspname IN ('public', 'vitals')`;
  for (const { index } of broken) await session.unsafe(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
}

async function runInTransaction(session: Session, migration: Migration): Promise<void> {
  await session`BEGIN`;
  try {
    await session.unsafe(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    for (const statement of migration.statements) await session.unsafe(statement);
    await recordMigration(session, migration);
    await session`COMMIT`;
  } catch (error) {
    await session`ROLLBACK`;
    throw error;
  }
}

async function runOutside(session: Session, migration: Migration): Promise<void> {
  for (const statement of migration.statements) {
    await dropBrokenIndex(session, statement);
    await session.unsafe(statement);
  }
  await recordMigration(session, migration);
}

/**
 * Applies one migration and records it. On a live database a lock that cannot be had soon is let go
 * and asked for again, so that nobody queues behind a migration that itself only waits.
 */
export async function applyMigration(session: Session, migration: Migration): Promise<void> {
  if (!migration.inTransaction) return runOutside(session, migration);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runInTransaction(session, migration);
    } catch (error) {
      if (!hasCode(error, LOCK_NOT_AVAILABLE)) throw error;
      if (attempt === ATTEMPTS)
        throw new MigrationBlockedError(
          `migration ${migration.tag} could not get its locks: a long transaction holds a table`,
          { cause: error },
        );
      await sleep(200 * attempt);
    }
  }
}
