import { setTimeout as sleep } from 'node:timers/promises';
import { MigrationBlockedError } from '../errors.ts';
import { recordMigration, type Session } from './bookkeeping.ts';
import { createIndex, parseCreateIndex } from './create-index.ts';
import type { Migration } from './read-migrations.ts';

/** How long one statement may queue for a table's lock, and hold up everybody behind it. */
const LOCK_TIMEOUT = '3s';
const LOCK_NOT_AVAILABLE = '55P03';
const ATTEMPTS = 10;

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
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
    const index = parseCreateIndex(statement);
    if (index) await createIndex((text) => session.unsafe(text), index);
    else await session.unsafe(statement);
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
