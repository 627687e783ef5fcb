import { type SQL, sql } from 'drizzle-orm';
import type { Reason, Verdict } from '../../core/reasons.ts';
import type { Database } from '../client.ts';
import type { FleetRow } from './fleet.ts';

/** A registered server with all that is known of it, but its secrets. */
export interface ServerRow extends FleetRow {
  description: string | null;
  version: string;
  endpointUrl: string;
  authType: string;
  status: string;
  tags: string[] | null;
  /** As the gateway wrote them: of any shape. */
  settings: unknown;
  intervalSeconds: number | null;
  /** Milliseconds since 1970. */
  lastProbeMs: number | null;
  nextProbeMs: number | null;
  /** How long the last answer took. */
  responseMs: number | null;
  uptimePercent: number | null;
  era: string | null;
  protocolVersion: string | null;
}

export interface ServerQuery {
  ids?: string[];
  idOrName?: string;
  tag?: string;
  tenantId?: string;
  verdict?: Verdict;
}

/** Registered servers by name; what the query leaves out does not narrow. */
export async function readServers(db: Database, query: ServerQuery): Promise<ServerRow[]> {
  const conditions: SQL[] = [sql`true`];
  if (query.ids !== undefined) {
    conditions.push(sql`m.id IN (SELECT jsonb_array_elements_text(${JSON.stringify(query.ids)}::jsonb))`);
  }
  if (query.idOrName !== undefined)
    conditions.push(sql`(m.id = ${query.idOrName} OR m.name = ${query.idOrName})`);
  if (query.tag !== undefined) conditions.push(sql`m.tags::jsonb @> ${JSON.stringify([query.tag])}::jsonb`);
  if (query.tenantId !== undefined) conditions.push(sql`m.tenant_id = ${query.tenantId}`);
  if (query.verdict !== undefined) conditions.push(sql`s.verdict = ${query.verdict}`);
  const rows = await db.execute<ServerRow & Record<string, unknown>>(sql`
    SELECT m.id, m.name, m.description, m.version, m.endpoint_url AS "endpointUrl", m.transport_type AS transport,
      m.auth_type AS "authType", m.status, m.tags, m.settings, m.tenant_id AS "tenantId",
      m.health_check_interval AS "intervalSeconds", m.uptime::float8 AS "uptimePercent", s.verdict, s.reason,
      s.message, s.counts, coalesce(s.flapping, false) AS flapping, s.error_budget_left::float8 AS "errorBudgetLeft", s.era, s.protocol_version AS "protocolVersion",
      (SELECT h.response_time FROM mcp_server_health_check h WHERE h.server_id = m.id
        ORDER BY h.checked_at DESC LIMIT 1) AS "responseMs",
      (extract(epoch FROM s.last_probe_at) * 1000)::float8 AS "lastProbeMs",
      (extract(epoch FROM s.next_probe_at) * 1000)::float8 AS "nextProbeMs"
    FROM mcp_server m LEFT JOIN vitals.server_state s ON s.server_id = m.id
    WHERE ${sql.join(conditions, sql` AND `)} ORDER BY m.name, m.id`);
  return [...rows];
}

export interface RecentCheck {
  atMs: number;
  status: string;
  reason: Reason | null;
  responseMs: number | null;
}

/** The newest rows of a server's history, the latest first. */
export async function readRecentChecks(
  db: Database,
  serverId: string,
  limit: number,
): Promise<RecentCheck[]> {
  const rows = await db.execute<RecentCheck & Record<string, unknown>>(sql`
    SELECT (extract(epoch FROM checked_at) * 1000)::float8 AS "atMs", status,
      metrics->'custom'->>'reason' AS reason, response_time AS "responseMs"
    FROM mcp_server_health_check WHERE server_id = ${serverId} ORDER BY checked_at DESC LIMIT ${limit}`);
  return [...rows];
}
