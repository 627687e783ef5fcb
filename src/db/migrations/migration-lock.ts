import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { MigrationBlockedError } from '../errors.ts';
import type { Session } from './bookkeeping.ts';

/** The bytes of 'vitals' as one number: an advisory lock that no other program takes by chance. */
const LOCK_KEY = '130195296185459';
const WAIT_MS = 120_000;
const LOOK_MS = 200;

/**
 * Runs `work` on one session that holds the migration lock: of two processes that migrate at once the
 * second waits, and then finds nothing left to do.
 *
 * The lock is asked for again and again, never waited for inside PostgreSQL: a session that waits in a
 * query has a snapshot, CREATE INDEX CONCURRENTLY in the holder waits for every snapshot to go, and
 * the two would wait for each other.
 */
export async function withMigrationLock<T>(sql: Sql, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await sql.reserve();
  try {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const [answer] = await session`SELECT pg_try_advisory_lock(${LOCK_KEY}::bigint) AS taken`;
      if (answer?.taken === true) break;
      if (performance.now() > deadline)
        throw new MigrationBlockedError('another process has been migrating this database for two minutes');
      await sleep(LOOK_MS);
    }
    // Migrations name their tables without a schema. A role called like a schema (`vitals`) would
    // otherwise have them made in that one.
    await session`SET search_path = public`;
    try {
      return await work(session);
    } finally {
      await session`RESET search_path`;
      await session`SELECT pg_advisory_unlock(${LOCK_KEY}::bigint)`;
    }
  } finally {
    session.release();
  }
}
