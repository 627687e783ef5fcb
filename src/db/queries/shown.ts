import { sql } from 'drizzle-orm';
import type { OwnState } from '../../core/health/context.ts';
import type { HealthStatus, ServerStatus } from '../../core/health/decide-health.ts';
import type { Tx } from './store-statements.ts';

/** What a probe decided of one server: its own part of what is shown. */
export interface OwnShown {
  serverId: string;
  own: OwnState;
  status: ServerStatus;
  healthStatus: HealthStatus;
  /** The status that a person set, which stays; null where none is. */
  held: ServerStatus | null;
  atMs: number;
}

/** Shows servers as they are by themselves, where nothing lies over them; a maintenance that a person set labels one. */
export async function showOwn(tx: Tx, servers: readonly OwnShown[]): Promise<void> {
  const rows = JSON.stringify(
    servers.map(({ serverId, own, status, healthStatus, held, atMs }) => ({
      serverId,
      verdict: held === 'maintenance' ? 'maintenance' : own.verdict,
      reason: own.reason,
      message: own.message,
      status,
      healthStatus,
      held: held !== null,
      atMs,
    })),
  );
  await tx.execute(sql`
    UPDATE mcp_server m SET status = r.status, health_status = r."healthStatus"
    FROM json_to_recordset(${rows}::json) AS r("serverId" text, status text, "healthStatus" text)
    WHERE m.id = r."serverId"`);
  await tx.execute(sql`
    UPDATE vitals.server_state s SET verdict = r.verdict, reason = r.reason, message = r.message, because_of = NULL,
      verdict_since = CASE WHEN s.verdict = r.verdict AND s.verdict_since IS NOT NULL THEN s.verdict_since
        ELSE to_timestamp(r."atMs" / 1000.0) END,
      status_written = CASE WHEN r.held THEN s.status_written ELSE r.status END
    FROM json_to_recordset(${rows}::json)
      AS r("serverId" text, verdict text, reason text, message text, status text, held boolean, "atMs" float8)
    WHERE s.server_id = r."serverId"`);
}
