import type { Sql } from 'postgres';
import { withAdvisoryLock } from '../migrations/advisory-lock.ts';
import type { Session } from '../migrations/bookkeeping.ts';

/**
 * Not the migrations' lock: a large table may take hours to be converted, and daemons have to be able to
 * start meanwhile.
 */
const LOCK_KEY = '130195296185460';

/** Runs `work` as the only one that changes how tables are stored; null when another does so for longer than `waitMs`. */
export function withStorageLock<T>(
  sql: Sql,
  waitMs: number,
  work: (session: Session) => Promise<T>,
): Promise<{ result: T } | null> {
  return withAdvisoryLock(sql, LOCK_KEY, waitMs, work);
}
