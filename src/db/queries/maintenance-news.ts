import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';

type Tx = Pick<Database, 'execute'>;

/** A window of which users are to be told that it has begun, or those who were told of that, that it is over. */
export interface WindowNews {
  id: string;
  title: string;
  description: string | null;
  impact: string;
  scheduledEndMs: number;
  phase: 'started' | 'ended';
  /** started: whom the window names; ended: who was told of the beginning. */
  channels: unknown;
}

const FIELDS = sql`w.id::text AS id, w.title, w.description, w.impact,
  (extract(epoch FROM w.scheduled_end) * 1000)::float8 AS "scheduledEndMs"`;

/** What maintenance windows have to tell. One that ended before anybody was told of it is told to nobody. */
export async function readWindowNews(tx: Tx): Promise<WindowNews[]> {
  const started = await tx.execute<WindowNews & Record<string, unknown>>(sql`
    SELECT ${FIELDS}, 'started' AS phase,
      CASE WHEN json_typeof(w.notification_channels) = 'array' THEN w.notification_channels END AS channels
    FROM maintenance_window w
    -- One that was forgotten in progress, long ago, is nobody's news.
    WHERE (w.status = 'extended' OR w.status = 'in_progress' AND w.scheduled_end > now()) AND w.actual_end IS NULL
      AND coalesce(w.notify_users, true)
      AND NOT coalesce(w.notification_sent, false)`);
  const ended = await tx.execute<WindowNews & Record<string, unknown>>(sql`
    SELECT ${FIELDS}, 'ended' AS phase, json_agg(s.channel) AS channels
    FROM vitals.delivery s JOIN maintenance_window w ON w.id::text = s.message->'maintenance'->>'id'
    WHERE s.once_key LIKE 'maintenance:%:started:%' AND s.failed_at IS NULL
      AND w.status IN ('completed', 'cancelled')
      AND NOT EXISTS (SELECT 1 FROM vitals.delivery e WHERE e.once_key = replace(s.once_key, ':started:', ':ended:'))
    GROUP BY w.id`);
  return [...started, ...ended];
}
