import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';

/** How many alerts fire, by kind and severity, and how much is still to be told. */
export async function readAlertCounts(db: Database): Promise<{
  firing: { kind: string; severity: string; count: number }[];
  waiting: { transitions: number; messages: number };
}> {
  const firing = await db.execute<{ kind: string; severity: string; count: number }>(sql`
    SELECT kind, severity, count(*)::int AS count FROM vitals.alert WHERE resolved_at IS NULL
    GROUP BY 1, 2 ORDER BY 1, 2`);
  const [waiting] = await db.execute<{ transitions: number; messages: number }>(sql`
    SELECT (SELECT count(*)::int FROM vitals.outbox WHERE done_at IS NULL) AS transitions,
      (SELECT count(*)::int FROM vitals.delivery WHERE sent_at IS NULL AND failed_at IS NULL) AS messages`);
  return { firing: [...firing], waiting: waiting ?? { transitions: 0, messages: 0 } };
}
