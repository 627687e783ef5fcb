import { recordMigration, type Session } from './bookkeeping.ts';
import { runAlone } from './concurrent-index.ts';
import { inShortTransaction } from './in-short-transaction.ts';
import type { Migration } from './read-migrations.ts';

/** Three seconds: what a page of a gateway's may take once without anybody noticing. */
const LOCK_TIMEOUT_MS = 3_000;
const ATTEMPTS = 10;

async function runOutside(session: Session, migration: Migration): Promise<void> {
  for (const statement of migration.statements) await runAlone(session, statement);
  await recordMigration(session, migration, { ran: true });
}

/**
 * Applies one migration and records it. On a live database a lock that cannot be had soon is let go
 * and asked for again, so that nobody queues behind a migration that itself only waits.
 */
export async function applyMigration(session: Session, migration: Migration): Promise<void> {
  if (!migration.inTransaction) return runOutside(session, migration);
  const what = `migration ${migration.tag}`;
  await inShortTransaction(
    session,
    { what, lockTimeoutMs: LOCK_TIMEOUT_MS, attempts: ATTEMPTS },
    async () => {
      for (const statement of migration.statements) await session.unsafe(statement);
      await recordMigration(session, migration, { ran: true });
    },
  );
}
