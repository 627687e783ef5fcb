import { sql } from 'drizzle-orm';
import type { AlertKind, Severity } from '../../core/alerts/alert.ts';
import type { Database } from '../client.ts';

export interface ListedAlert {
  id: string;
  kind: AlertKind;
  severity: Severity;
  serverId: string | null;
  serverName: string | null;
  tenantId: string | null;
  title: string;
  startedAtMs: number;
  resolvedAtMs: number | null;
  incidentId: string | null;
  /** Why somebody is not told of it, or not yet; null when nothing is held. */
  heldBecause: string | null;
  told: { channel: string; state: 'told' | 'on its way' | 'given up'; atMs: number }[];
}

/** What fires, the latest first; with `all` also what is over, at most `limit` of both. */
export async function readAlerts(
  db: Database,
  { all, limit }: { all: boolean; limit: number },
): Promise<ListedAlert[]> {
  const rows = await db.execute<ListedAlert & Record<string, unknown>>(sql`
    SELECT a.id, a.kind, a.severity, a.server_id AS "serverId", m.name AS "serverName", a.tenant_id AS "tenantId",
      a.title, (extract(epoch FROM a.started_at) * 1000)::float8 AS "startedAtMs",
      (extract(epoch FROM a.resolved_at) * 1000)::float8 AS "resolvedAtMs", a.incident_id AS "incidentId",
      (SELECT o.held_because FROM vitals.outbox o WHERE o.alert_id = a.id AND o.transition = 'fire'
        ORDER BY o.id LIMIT 1) AS "heldBecause",
      coalesce((SELECT jsonb_agg(jsonb_build_object('channel', t.channel,
          'atMs', (extract(epoch FROM t.last_at) * 1000)::float8,
          'state', CASE WHEN t.failed_at IS NOT NULL THEN 'given up'
            WHEN EXISTS (SELECT 1 FROM vitals.delivery d WHERE d.channel = t.channel AND d.group_key = t.group_key
              AND d.sent_at IS NULL AND d.failed_at IS NULL
              AND d.transitions @> jsonb_build_array(jsonb_build_object('alertId', a.id))) THEN 'on its way'
            ELSE 'told' END) ORDER BY t.channel)
        FROM vitals.told t WHERE t.alert_id = a.id), '[]') AS told
    FROM vitals.alert a LEFT JOIN mcp_server m ON m.id = a.server_id
    WHERE ${all} OR a.resolved_at IS NULL
    ORDER BY a.resolved_at IS NOT NULL, a.started_at DESC, a.id
    LIMIT ${limit}`);
  return [...rows];
}
