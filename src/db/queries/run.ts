import { sql } from 'drizzle-orm';
import type { Era, RegistryServer } from '../../core/target.ts';
import type { Database } from '../client.ts';

export type RunStart =
  | { state: 'started'; server: RegistryServer }
  /** A probe of this server is in flight. */
  | { state: 'running' }
  /** As many as are allowed are in flight on its host. */
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
 * then counts with a snapshot taken after the lock.
 */
export async function startRun(db: Database, request: RunRequest): Promise<RunStart> {
  const { serverId, slotMs } = request;
  return await db.transaction(async (tx) => {
    await tx.execute(sql`
      SELECT pg_advisory_xact_lock(hashtext('vitals:host'), hashtext(host_key))
      FROM vitals.server_state WHERE server_id = ${serverId}`);
    const onTime =
      slotMs === null
        ? sql`true`
        : sql`s.next_probe_at <= to_timestamp(${slotMs}::float8 / 1000) + interval '1 second'
            AND (m.status <> 'inactive' OR m.last_health_check IS NULL OR s.status_written = 'inactive')`;
    const [row] = await tx.execute<{
      running: boolean;
      busy: number;
      onTime: boolean;
      name: string;
      endpointUrl: string;
      transportType: string;
      authType: string;
      authConfig: unknown;
      settings: unknown;
      era: Era | null;
    }>(sql`
      SELECT s.running_until IS NOT NULL AND s.running_until > now() AS running, ${onTime} AS "onTime",
        (SELECT count(*)::int FROM vitals.server_state o
          WHERE o.host_key = s.host_key AND o.running_until > now()) AS busy,
        m.name, m.endpoint_url AS "endpointUrl", m.transport_type AS "transportType",
        m.auth_type AS "authType", m.auth_config AS "authConfig", m.settings, s.era
      FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
      WHERE s.server_id = ${serverId} FOR NO KEY UPDATE OF s`);
    if (!row) return { state: 'gone' };
    const { running, busy, onTime: due, ...columns } = row;
    if (running) return { state: 'running' };
    if (!due) return { state: 'stale' };
    if (busy >= request.perHost) return { state: 'host_busy' };
    const server: RegistryServer = { id: serverId, ...columns };
    const budget = sql`${request.budgetMsOf(server)} * interval '1 millisecond'`;
    await tx.execute(sql`
      UPDATE vitals.server_state SET run_token = ${request.token},
        running_until = now() + ${budget}, lease_until = greatest(lease_until, now() + ${budget})
      WHERE server_id = ${serverId}`);
    return { state: 'started', server };
  });
}

/** Lets go of a run without a result: the server is due again at once. */
export async function abandonRun(db: Database, serverId: string, token: string): Promise<void> {
  await db.execute(sql`
    UPDATE vitals.server_state SET run_token = NULL, running_until = NULL, lease_until = NULL, lease_slot = NULL
    WHERE server_id = ${serverId} AND run_token = ${token}`);
}
