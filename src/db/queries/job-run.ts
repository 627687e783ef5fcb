import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';

/** Notes that one of the cluster's recurring jobs has ended; without `data`, that of the last run stays. */
export async function recordJobRun(
  db: Pick<Database, 'execute'>,
  job: string,
  startedAt: Date,
  data: object | null,
): Promise<void> {
  await db.execute(sql`
    INSERT INTO vitals.job_run AS j (job, last_started_at, last_finished_at, last_error, data)
    VALUES (${job}, ${startedAt.toISOString()}, now(), NULL, ${data === null ? null : JSON.stringify(data)}::jsonb)
    ON CONFLICT (job) DO UPDATE SET last_started_at = excluded.last_started_at,
      last_finished_at = excluded.last_finished_at, last_error = NULL, data = coalesce(excluded.data, j.data)`);
}

/** How long ago a job ended last, in milliseconds, on whichever replica; null when it never did. */
export async function lastJobRunAgeMs(db: Database, job: string): Promise<number | null> {
  const [row] = await db.execute<{ ageMs: number | null }>(sql`
    SELECT (extract(epoch FROM now() - last_finished_at) * 1000)::float8 AS "ageMs"
    FROM vitals.job_run WHERE job = ${job}`);
  return row?.ageMs ?? null;
}
