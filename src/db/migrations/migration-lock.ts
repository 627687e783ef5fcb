import type { Sql } from 'postgres';
import { MigrationBlockedError } from '../errors.ts';
import { withAdvisoryLock } from './advisory-lock.ts';
import type { Session } from './bookkeeping.ts';

/** The bytes of 'vitals' as one number: an advisory lock that no other program takes by chance. */
const LOCK_KEY = '130195296185459';
const WAIT_MS = 120_000;

/**
 * Runs `work` on one session that holds the migration lock: of two processes that migrate at once the
 * second waits, and then finds nothing left to do.
 */
export async function withMigrationLock<T>(sql: Sql, work: (session: Session) => Promise<T>): Promise<T> {
  const done = await withAdvisoryLock(sql, LOCK_KEY, WAIT_MS, work);
  if (done === null)
    throw new MigrationBlockedError('another process has been migrating this database for two minutes');
  return done.result;
}
