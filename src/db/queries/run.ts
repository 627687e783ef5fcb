import { sql } from 'drizzle-orm';
import {
  type BudgetSettings,
  monitorOfSettings,
  NO_BUDGET,
  type ParsedMonitor,
} from '../../core/monitor/monitor-settings.ts';
import { asksTraffic, decideSlot, NO_TRAFFIC, type SpareReason } from '../../core/monitor/spare-probe.ts';
import type { RegistryServer } from '../../core/target.ts';
import type { Database } from '../client.ts';
import { readTraffic, SLOT_COLUMNS, type SlotRow, slotFacts } from './budgets.ts';
import { MAY_BE_SCHEDULED, SHORT_TRANSACTION } from './fragments.ts';

export type RunStart =
  | { state: 'started'; server: RegistryServer; monitor: ParsedMonitor }
  /** Its budget, or the traffic that it has, makes a probe at this slot needless: its next slot is set. */
  | { state: 'spared'; reason: SpareReason }
  /** A probe of this server is in flight: its result is as good as another. */
  | { state: 'running' }
  /** As many as are allowed are in flight on its host: it is due, and a sweep hands it out when there is room. */
  | { state: 'parked' }
  /** The same, of a server that no sweep would hand out. */
  | { state: 'host_busy' }
  /** Its slot was served already, or a person took it off the schedule since it was queued. */
  | { state: 'stale' }
  | { state: 'gone' };

export interface RunRequest {
  serverId: string;
  /** Names this run: only its holder can end it. */
  token: string;
  /** The slot of a scheduled probe, in milliseconds; null for one that a person asked for. */
  slotMs: number | null;
  /** The longest that a run of this server may take, in milliseconds; after that it counts as dead. */
  budgetMsOf: (server: RegistryServer) => number;
  perHost: number;
}

/**
 * Marks a probe as in flight, so that no server is probed twice at once and no host more often than
 * it is allowed, by whichever replica. The advisory lock comes in a statement of its own: what follows
 * then counts with a snapshot taken after the lock. A replica that froze while it held it is cut off.
 * A server that was not there to be locked counts as gone, also when a sweep puts it there meanwhile.
 */
export async function startRun(db: Pick<Database, 'transaction'>, request: RunRequest): Promise<RunStart> {
  const { serverId, slotMs } = request;
  return await db.transaction(async (tx) => {
    const locked = await tx.execute(sql`
      SELECT ${SHORT_TRANSACTION}, pg_advisory_xact_lock(hashtext('vitals:host'), hashtext(host_key))
      FROM vitals.server_state WHERE server_id = ${serverId}`);
    if (locked.length === 0) return { state: 'gone' };
    const onTime =
      slotMs === null
        ? sql`true`
        : sql`s.next_probe_at <= to_timestamp(${slotMs}::float8 / 1000) + interval '1 second'`;
    const [row] = await tx.execute<
      Omit<RegistryServer, 'id'> &
        SlotRow & { running: boolean; busy: number; scheduled: boolean; onTime: boolean }
    >(sql`
      SELECT s.running_until IS NOT NULL AND s.running_until > now() AS running, ${onTime} AS "onTime",
        ${MAY_BE_SCHEDULED} AS scheduled,
        (SELECT count(*)::int FROM vitals.server_state o
          WHERE o.host_key = s.host_key AND o.running_until > now()) AS busy,
        m.name, m.endpoint_url AS "endpointUrl", m.transport_type AS "transportType",
        m.auth_type AS "authType", m.auth_config AS "authConfig", m.settings, m.tenant_id AS "tenantId", s.era,
        ${SLOT_COLUMNS}
      FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
      WHERE s.server_id = ${serverId} FOR NO KEY UPDATE OF s`);
    if (!row) return { state: 'gone' };
    const { running, busy, onTime: due, scheduled } = row;
    if (running) return { state: 'running' };
    if (!due || (slotMs !== null && !scheduled)) return { state: 'stale' };
    const monitor = monitorOfSettings(row.settings);
    const spared =
      slotMs === null ? null : await spareSlot(tx, serverId, slotMs, monitor.settings.budget, row);
    if (spared) return spared;
    if (busy >= request.perHost) {
      if (!scheduled) return { state: 'host_busy' };
      await tx.execute(sql`
        UPDATE vitals.server_state SET next_probe_at = least(next_probe_at, now()), lease_until = NULL, lease_slot = NULL
        WHERE server_id = ${serverId}`);
      return { state: 'parked' };
    }
    const { name, endpointUrl, transportType, authType, authConfig, settings, era } = row;
    const server = { id: serverId, name, endpointUrl, transportType, authType, authConfig, settings, era };
    const budget = sql`${request.budgetMsOf(server)} * interval '1 millisecond'`;
    await tx.execute(sql`
      UPDATE vitals.server_state SET run_token = ${request.token},
        running_until = now() + ${budget}, lease_until = greatest(lease_until, now() + ${budget})
      WHERE server_id = ${serverId}`);
    return { state: 'started', server, monitor };
  });
}

/** Leaves a slot out where the server's budget says so, and sets the next one; null when it is to be probed. */
async function spareSlot(
  tx: Pick<Database, 'execute'>,
  serverId: string,
  slotMs: number,
  budget: BudgetSettings,
  row: SlotRow,
): Promise<RunStart | null> {
  if (budget === NO_BUDGET) return null;
  const facts = slotFacts(serverId, slotMs, row);
  const traffic = asksTraffic(budget) ? await readTraffic(tx, facts) : NO_TRAFFIC;
  const decision = decideSlot(budget, facts, traffic);
  if (decision.probe) return null;
  await tx.execute(sql`
    UPDATE vitals.server_state SET next_probe_at = to_timestamp(${decision.nextSlotMs}::float8 / 1000),
      lease_until = NULL, lease_slot = NULL
    WHERE server_id = ${serverId}`);
  return { state: 'spared', reason: decision.reason };
}

/** Lets go of a run without a result: the server is due again after `retryInMs`. */
export async function abandonRun(
  db: Database,
  serverId: string,
  token: string,
  retryInMs: number,
): Promise<void> {
  await db.execute(sql`
    UPDATE vitals.server_state SET run_token = NULL, running_until = NULL, lease_until = NULL, lease_slot = NULL,
      next_probe_at = greatest(next_probe_at, now() + ${retryInMs} * interval '1 millisecond')
    WHERE server_id = ${serverId} AND run_token = ${token}`);
}
