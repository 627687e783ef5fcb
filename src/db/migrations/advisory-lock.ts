import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { openSession } from '../client.ts';
import type { Session } from './bookkeeping.ts';

const LOOK_MS = 200;

/**
 * Runs `work` on one session that holds an advisory lock; null when the lock cannot be had within `waitMs`.
 *
 * The lock is asked for again and again, never waited for inside PostgreSQL: a session that waits in a
 * query has a snapshot, CREATE INDEX CONCURRENTLY in the holder waits for every snapshot to go, and
 * the two would wait for each other.
 */
export async function withAdvisoryLock<T>(
  sql: Sql,
  key: string,
  waitMs: number,
  work: (session: Session) => Promise<T>,
): Promise<{ result: T } | null> {
  const session = openSession(sql);
  try {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const [answer] = await session`SELECT pg_try_advisory_lock(${key}::bigint) AS taken`;
      if (answer?.taken === true) break;
      if (performance.now() > deadline) return null;
      await sleep(LOOK_MS);
    }
    // Statements name their tables without a schema. A role called like a schema (`vitals`) would
    // otherwise have them looked up, and made, in that one.
    await session`SET search_path = public`;
    return { result: await work(session) };
  } finally {
    // The lock goes with the session.
    await session.end({ timeout: 5 });
  }
}
