import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { COUNT_PROBE } from './budgets.ts';
import type { MemoryRow } from './result-row.ts';

/** The statements of one batch: each takes all of its rows as one JSON document. */
export type Tx = Pick<Database, 'execute'>;

/** Locks in one order, so that two batches that share servers cannot deadlock. */
export async function readMemories(tx: Tx, serverIds: string[]): Promise<Map<string, MemoryRow>> {
  const ids = JSON.stringify(serverIds);
  const rows = await tx.execute<MemoryRow>(sql`
    SELECT m.id AS "serverId", m.name, m.tenant_id AS "tenantId", m.status, m.version AS "registeredVersion",
      m.health_check_interval AS "intervalSeconds", m.last_health_check IS NOT NULL AS "checkedBefore",
      m.settings, s.failures, s.successes, s.memory, s.latency,
      s.status_written AS "statusWritten", s.version_learnt AS "versionLearnt",
      s.inventory_hash AS "inventoryHash", s.counts, s.run_token AS "runToken",
      (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"
    FROM mcp_server m JOIN vitals.server_state s ON s.server_id = m.id
    WHERE m.id IN (SELECT jsonb_array_elements_text(${ids}::jsonb))
    ORDER BY m.id FOR NO KEY UPDATE OF m, s`);
  return new Map(rows.map((row) => [row.serverId, row]));
}

export async function insertHistory(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    INSERT INTO mcp_server_health_check (id, server_id, status, response_time, error_message, metrics, checked_at)
    SELECT gen_random_uuid(), "serverId", "check", "responseMs", message, metrics, "checkedAt"
    FROM json_to_recordset(${rows}::json) AS r("serverId" text, "check" text, "responseMs" integer, message text,
      metrics json, "checkedAt" timestamptz)`);
}

export async function addUptime(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    INSERT INTO vitals.uptime_day AS u (server_id, day, checks, healthy, response_ms_sum, responses)
    SELECT "serverId", ("checkedAt" AT TIME ZONE 'UTC')::date, sum(counted), sum(up), coalesce(sum("responseMs"), 0),
      count("responseMs")
    FROM json_to_recordset(${rows}::json)
      AS r("serverId" text, "checkedAt" timestamptz, counted integer, up integer, "responseMs" integer)
    GROUP BY 1, 2
    ON CONFLICT (server_id, day) DO UPDATE SET checks = u.checks + excluded.checks, healthy = u.healthy + excluded.healthy,
      response_ms_sum = u.response_ms_sum + excluded.response_ms_sum, responses = u.responses + excluded.responses`);
}

export async function updateServers(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    UPDATE mcp_server m SET
      last_health_check = r."checkedAt",
      capabilities = coalesce(r.capabilities, m.capabilities), version = coalesce(r.version, m.version),
      uptime = coalesce(h.uptime, m.uptime), avg_response_time = coalesce(h.response_time, m.avg_response_time)
    FROM json_to_recordset(${rows}::json)
      AS r("serverId" text, "checkedAt" timestamptz, capabilities json, version text)
    LEFT JOIN LATERAL (
      SELECT round(100.0 * sum(healthy) / nullif(sum(checks), 0), 2) AS uptime,
        round(1.0 * sum(response_ms_sum) / nullif(sum(responses), 0), 3) AS response_time
      FROM vitals.uptime_day u
      WHERE u.server_id = r."serverId" AND u.day > (now() AT TIME ZONE 'UTC')::date - 30
    ) h ON true
    WHERE m.id = r."serverId"`);
}

/** The run and the lease end here; only results whose run still is the server's are given. */
export async function updateStates(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    UPDATE vitals.server_state s SET
      host_key = r."hostKey", next_probe_at = r."nextProbeAt", last_probe_at = r."checkedAt", own = r.own,
      own_status = r."ownStatus",
      -- It fails until it is confirmed to be well, as a way back is.
      failing_since = CASE WHEN r.failures > 0 THEN coalesce(s.failing_since, r."checkedAt")
        WHEN r."ownStatus" = 'error' THEN s.failing_since END,
      -- What a failed handshake could not show is still what it was.
      shared = CASE WHEN r.shared IS NULL OR json_typeof(r.shared) = 'null' THEN s.shared
        ELSE r.shared::jsonb || jsonb_build_object('certificateIssuer',
          coalesce(r.shared->>'certificateIssuer', s.shared->>'certificateIssuer')) END,
      memory = r.memory, latency = r.latency, flapping = r.flapping, error_budget_left = r."errorBudgetLeft",
      failures = r.failures, successes = r.successes,
      era = CASE WHEN r."eraFailed" THEN NULL ELSE coalesce(r.era, s.era) END,
      protocol_version = coalesce(r."protocolVersion", s.protocol_version),
      version_learnt = coalesce(r.version, s.version_learnt), inventory_hash = coalesce(r."inventoryHash", s.inventory_hash),
      counts = coalesce(r.counts, s.counts), updated_at = now(), ${COUNT_PROBE},
      run_token = NULL, running_until = NULL, lease_until = NULL, lease_slot = NULL
    FROM json_to_recordset(${rows}::json) AS r("serverId" text, "hostKey" text, "nextProbeAt" timestamptz,
      "checkedAt" timestamptz, own jsonb, "ownStatus" text, shared json, memory jsonb, latency jsonb, flapping boolean, "errorBudgetLeft" real,
      failures integer, successes integer, era text, "eraFailed" boolean, "protocolVersion" text, version text,
      "inventoryHash" text, counts jsonb, bytes bigint)
    WHERE s.server_id = r."serverId"`);
}

export async function insertEvents(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    WITH news AS (
      SELECT "serverId", message, "checkedAt", event,
        -- An outage and a maintenance last; what is well or switched off asks for nobody.
        event->'data'->>'after' IN ('error', 'maintenance') AS lasts
      FROM json_to_recordset(${rows}::json) AS r("serverId" text, message text, "checkedAt" timestamptz, event json)
      WHERE json_typeof(event) = 'object'
    ), over AS (
      UPDATE system_event e SET status = 'resolved', resolved_by = 'mcp-vitals',
        resolved_at = greatest(e.occurred_at, news."checkedAt")
      FROM news
      WHERE e.resource_id = news."serverId" AND e.type = 'server.status_changed' AND e.source = 'mcp-vitals'
        AND e.status IN ('active', 'acknowledged')
    )
    INSERT INTO system_event (id, type, category, title, description, severity, source, tenant_id, resource_type,
      resource_id, data, occurred_at, created_at, status, resolved_at, resolved_by)
    SELECT gen_random_uuid(), 'server.status_changed', 'system', event->>'title', message, event->>'severity',
      'mcp-vitals', event->>'tenantId', 'mcp_server', "serverId", event->'data', "checkedAt", now(),
      CASE WHEN lasts THEN 'active' ELSE 'resolved' END, CASE WHEN NOT lasts THEN "checkedAt" END,
      CASE WHEN NOT lasts THEN 'mcp-vitals' END
    FROM news`);
}
