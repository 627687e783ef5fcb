import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { INTERVAL, MAY_BE_SCHEDULED, SHORT_TRANSACTION } from './fragments.ts';
import { HISTORY_VERDICT } from './history-verdict.ts';

export interface NewServer {
  id: string;
  endpointUrl: string;
  transportType: string;
  intervalSeconds: number | null;
  checkedBefore: boolean;
}

/** Registered servers that the schedule does not know yet, at most `limit`. */
export async function findUnscheduled(db: Database, limit: number): Promise<NewServer[]> {
  return await db.execute<{
    id: string;
    endpointUrl: string;
    transportType: string;
    intervalSeconds: number | null;
    checkedBefore: boolean;
  }>(sql`
    SELECT m.id, m.endpoint_url AS "endpointUrl", m.transport_type AS "transportType",
      m.health_check_interval AS "intervalSeconds", m.last_health_check IS NOT NULL AS "checkedBefore"
    FROM mcp_server m
    WHERE NOT EXISTS (SELECT 1 FROM vitals.server_state s WHERE s.server_id = m.id)
    ORDER BY m.created_at LIMIT ${limit}`);
}

/** Puts servers on the schedule, and sums the history that they already have into uptime_day. */
export async function scheduleServers(
  db: Database,
  servers: { serverId: string; hostKey: string; nextProbeMs: number }[],
): Promise<void> {
  if (servers.length === 0) return;
  const rows = JSON.stringify(servers);
  await db.transaction(async (tx) => {
    await tx.execute(sql`
      INSERT INTO vitals.server_state (server_id, host_key, next_probe_at)
      SELECT r."serverId", r."hostKey", to_timestamp(r."nextProbeMs" / 1000.0)
      FROM jsonb_to_recordset(${rows}::jsonb) AS r("serverId" text, "hostKey" text, "nextProbeMs" bigint)
      JOIN mcp_server m ON m.id = r."serverId"
      ON CONFLICT (server_id) DO NOTHING`);
    await tx.execute(sql`
      INSERT INTO vitals.uptime_day (server_id, day, checks, healthy, response_ms_sum, responses)
      SELECT r."serverId", d.*
      FROM (SELECT DISTINCT "serverId" FROM jsonb_to_recordset(${rows}::jsonb) AS r("serverId" text)) r
      -- Server by server, along the index: joined at once, a few servers would have whole partitions read.
      CROSS JOIN LATERAL (
        SELECT (h.checked_at AT TIME ZONE 'UTC')::date, count(*),
          count(*) FILTER (WHERE h.status = 'healthy' OR ${HISTORY_VERDICT} IN ('up', 'degraded')),
          coalesce(sum(h.response_time), 0), count(h.response_time)
        FROM mcp_server_health_check h
        WHERE h.server_id = r."serverId" AND h.checked_at > now() - interval '30 days'
          AND coalesce(${HISTORY_VERDICT}, '') NOT IN ('unknown', 'waking')
        GROUP BY 1
      ) d
      ON CONFLICT (server_id, day) DO NOTHING`);
  });
}

export interface ClaimOptions {
  /** At most so many servers. */
  limit: number;
  /** At most so many claimed or in flight per host key. */
  perHost: number;
  /** How long a claim holds without a result, in milliseconds. */
  leaseMs: number;
  /** A slot missed by more than this is late. */
  lateAfterMs: number;
  /** At most so many late ones; called only when there are any, with the fleet's probes per second. */
  lateQuota: (probesPerSecond: number) => number;
}

export interface ClaimedServer {
  serverId: string;
  slotMs: number;
  leaseMs: number;
  firstCheck: boolean;
  lagMs: number;
}

export interface Claim {
  servers: ClaimedServer[];
  /** Due servers that were left because their host has no room: worth looking again soon. */
  heldBack: number;
}

/**
 * Leases due servers to the caller: first checks first, then the longest due, never more than the
 * room that each host has left. The advisory lock keeps two sweeps from counting the same room twice;
 * a second sweep at the same time takes nothing, and is given null.
 */
export async function claimDue(db: Database, options: ClaimOptions): Promise<Claim | null> {
  return await db.transaction(async (tx) => {
    const [lock] = await tx.execute<{ taken: boolean }>(
      sql`SELECT ${SHORT_TRANSACTION}, pg_try_advisory_xact_lock(hashtext('vitals:sweep')) AS taken`,
    );
    if (!lock?.taken) return null;
    await tx.execute(FOLLOW_SHORTER_INTERVALS);

    const late = sql`(s.last_probe_at IS NOT NULL AND s.next_probe_at < now() - ${options.lateAfterMs} * interval '1 millisecond')`;
    const [backlog] = await tx.execute<{ due: number; late: number }>(sql`
      SELECT count(*)::int AS due, count(*) FILTER (WHERE ${late})::int AS late
      FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
      WHERE s.next_probe_at <= now() AND (s.lease_until IS NULL OR s.lease_until < now()) AND ${MAY_BE_SCHEDULED}`);
    if (!backlog || backlog.due === 0) return { servers: [], heldBack: 0 };
    const lateLimit = backlog.late > 0 ? options.lateQuota(await probesPerSecond(tx)) : 0;

    const rows = await tx.execute<ClaimedRow>(sql`
      WITH busy AS (
        SELECT host_key, count(*) AS probes FROM vitals.server_state
        WHERE lease_until > now() OR running_until > now() GROUP BY host_key
      ), ranked AS (
        SELECT s.server_id, s.last_probe_at IS NULL AS first_check, s.next_probe_at, ${late} AS late,
          coalesce(b.probes, 0) + row_number() OVER (
            PARTITION BY s.host_key ORDER BY s.last_probe_at IS NULL DESC, s.next_probe_at) AS place
        FROM vitals.server_state s
        JOIN mcp_server m ON m.id = s.server_id
        LEFT JOIN busy b ON b.host_key = s.host_key
        WHERE s.next_probe_at <= now() AND (s.lease_until IS NULL OR s.lease_until < now())
          AND (s.running_until IS NULL OR s.running_until < now()) AND ${MAY_BE_SCHEDULED}
      ), eligible AS (
        -- Turns count only those whose host has room: a crowded host must not use up the quota of all.
        SELECT *, row_number() OVER (PARTITION BY late ORDER BY next_probe_at) AS turn
        FROM ranked WHERE place <= ${options.perHost}
      ), picked AS (
        SELECT s.server_id, e.first_check
        FROM vitals.server_state s JOIN eligible e USING (server_id)
        WHERE NOT e.late OR e.turn <= ${lateLimit}
        ORDER BY e.first_check DESC, e.next_probe_at
        LIMIT ${options.limit}
        FOR UPDATE OF s SKIP LOCKED
      ), claimed AS (
        UPDATE vitals.server_state s
        SET lease_until = now() + ${options.leaseMs} * interval '1 millisecond', lease_slot = s.next_probe_at
        FROM picked WHERE picked.server_id = s.server_id
        RETURNING s.server_id AS "serverId", (extract(epoch FROM s.next_probe_at) * 1000)::float8 AS "slotMs",
          (extract(epoch FROM s.lease_until) * 1000)::float8 AS "leaseMs", picked.first_check AS "firstCheck",
          (extract(epoch FROM now() - s.next_probe_at) * 1000)::float8 AS "lagMs"
      )
      SELECT claimed.*, held.back AS "heldBack" FROM (
        SELECT count(*)::int AS back FROM ranked WHERE place > ${options.perHost} AND NOT late
      ) held LEFT JOIN claimed ON true`);
    const servers = rows.filter((row) => row.serverId !== null);
    return { servers: servers.map(withoutHeldBack), heldBack: rows[0]?.heldBack ?? 0 };
  });
}

function withoutHeldBack({ serverId, slotMs, leaseMs, firstCheck, lagMs }: ClaimedRow): ClaimedServer {
  return { serverId, slotMs, leaseMs, firstCheck, lagMs };
}

interface ClaimedRow extends ClaimedServer, Record<string, unknown> {
  heldBack: number;
}

/** A gateway that shortened an interval must not wait for the end of the old one; Retry-After is kept. */
const FOLLOW_SHORTER_INTERVALS = sql`
  UPDATE vitals.server_state s SET next_probe_at = now() + random() * ${INTERVAL}
  FROM mcp_server m
  WHERE m.id = s.server_id AND s.next_probe_at > now() + ${INTERVAL} + interval '1 second'
    AND coalesce(s.own->>'reason', s.reason) IS DISTINCT FROM 'rate_limited'`;

async function probesPerSecond(tx: Pick<Database, 'execute'>): Promise<number> {
  const [row] = await tx.execute<{ rate: number }>(sql`
    SELECT coalesce(sum(1 / extract(epoch FROM ${INTERVAL})), 0)::float8 AS rate
    FROM mcp_server m JOIN vitals.server_state s ON s.server_id = m.id WHERE ${MAY_BE_SCHEDULED}`);
  return row?.rate ?? 0;
}

/** Gives claims back whose jobs could not be queued, so that the next sweep finds them at once. */
export async function releaseClaims(db: Database, serverIds: string[]): Promise<void> {
  if (serverIds.length === 0) return;
  await db.execute(sql`
    UPDATE vitals.server_state SET lease_until = NULL, lease_slot = NULL
    WHERE server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb))`);
}
