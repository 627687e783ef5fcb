import { sql } from 'drizzle-orm';
import type { InventoryCounts } from '../../core/inventory.ts';
import type { Reason, Verdict } from '../../core/reasons.ts';
import type { Database } from '../client.ts';
import { MAY_BE_SCHEDULED } from './fragments.ts';

/** One server as gauges and tables show it. */
export interface FleetRow {
  id: string;
  name: string;
  tenantId: string | null;
  transport: string;
  /** null when it was never probed. */
  verdict: Verdict | null;
  reason: Reason | null;
  message: string | null;
  counts: InventoryCounts | null;
  flapping: boolean;
  /** null before the first probe. */
  errorBudgetLeft: number | null;
}

/** The newest verdict of every registered server. */
export async function readFleet(db: Database): Promise<FleetRow[]> {
  const rows = await db.execute<FleetRow & Record<string, unknown>>(sql`
    SELECT m.id, m.name, m.tenant_id AS "tenantId", m.transport_type AS transport, s.verdict, s.reason, s.message,
      s.counts, coalesce(s.flapping, false) AS flapping, s.error_budget_left::float8 AS "errorBudgetLeft"
    FROM mcp_server m LEFT JOIN vitals.server_state s ON s.server_id = m.id
    ORDER BY m.id`);
  return [...rows];
}

/** How far the longest due server that nobody has claimed is behind its slot, in seconds; 0 when there is none. */
export async function readSweepLag(db: Database): Promise<number> {
  const [row] = await db.execute<{ lag: number }>(sql`
    SELECT greatest(0, coalesce(extract(epoch FROM now() - min(s.next_probe_at)), 0))::float8 AS lag
    FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
    WHERE (s.lease_until IS NULL OR s.lease_until < now())
      AND ${MAY_BE_SCHEDULED}`);
  return row?.lag ?? 0;
}
