import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { lastJobRunAgeMs } from '../db/queries/job-run.ts';
import type { HealthCheck } from '../http/health.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { lateAfterMs } from './watchdog.ts';

/** What /readyz looks at: the database, the queue, and a sweep that ran lately on some replica. */
export function readinessChecks(deps: {
  db: Database;
  queue: Pick<QueueBackend, 'ping'>;
  sweepIntervalMs: number;
}): Record<'database' | 'queue' | 'sweep', HealthCheck> {
  const sweepLateMs = lateAfterMs(deps.sweepIntervalMs);
  return {
    async database() {
      await deps.db.execute(sql`SELECT 1`);
      return { ok: true };
    },
    async queue() {
      await deps.queue.ping();
      return { ok: true };
    },
    async sweep() {
      const ageMs = await lastJobRunAgeMs(deps.db, 'sweep');
      if (ageMs === null) return { ok: false, problem: 'no sweep has run yet' };
      if (ageMs <= sweepLateMs) return { ok: true };
      return { ok: false, problem: `the last sweep ended ${Math.round(ageMs / 1000)} s ago` };
    },
  };
}
