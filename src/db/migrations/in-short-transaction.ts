import { setTimeout as sleep } from 'node:timers/promises';
import { MigrationBlockedError } from '../errors.ts';
import type { Session } from './bookkeeping.ts';

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

export interface ShortTransaction {
  /** For the error when the locks could never be had: "migration 0007". */
  what: string;
  /** How long one statement may queue for a table's lock, and hold up everybody behind it. */
  lockTimeoutMs: number;
  attempts: number;
}

function isBlocked(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && [LOCK_NOT_AVAILABLE, DEADLOCK].includes(String(error.code))
  );
}

async function attemptOnce<T>(session: Session, lockTimeoutMs: number, work: () => Promise<T>): Promise<T> {
  await session`BEGIN`;
  try {
    await session.unsafe(`SET LOCAL lock_timeout = ${Math.round(lockTimeoutMs)}`);
    const result = await work();
    await session`COMMIT`;
    return result;
  } catch (error) {
    // A lost connection has rolled back by itself, and the first error says why.
    await session`ROLLBACK`.catch(() => undefined);
    throw error;
  }
}

/**
 * A transaction for live tables, on one session: a lock that cannot be had soon is let go, with everything
 * else, and asked for again later, so that nobody queues behind somebody who only waits. MigrationBlockedError
 * when that never succeeds.
 */
export async function inShortTransaction<T>(
  session: Session,
  { what, lockTimeoutMs, attempts }: ShortTransaction,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptOnce(session, lockTimeoutMs, work);
    } catch (error) {
      if (!isBlocked(error)) throw error;
      if (attempt >= attempts)
        throw new MigrationBlockedError(`${what} could not get its locks: a long transaction holds a table`, {
          cause: error,
        });
      await sleep(200 * Math.min(attempt, 10));
    }
  }
}
