import { sql } from 'drizzle-orm';
import { type Classification, classify } from '../../core/classify.ts';
import {
  DEFAULT_HEALTH_POLICY,
  decideHealth,
  type HealthDecision,
  type HealthPolicy,
  type ServerStatus,
} from '../../core/health.ts';
import { cleanJson, cleanText, countInventory, hashInventory } from '../../core/inventory.ts';
import type { InventoryKind, ProbeOutcome, Warning } from '../../core/outcome.ts';
import type { Verdict } from '../../core/reasons.ts';
import { intervalMsOf, nextSlot } from '../../core/schedule.ts';
import type { Database } from '../client.ts';
import { createBatcher } from './batch.ts';
import { storeInventory } from './inventory.ts';

/** A probe that has ended, on its way into the database. */
export interface FinishedProbe {
  serverId: string;
  /** The run that it ends; a result whose run was taken over is history only. */
  token: string;
  hostKey: string;
  slotMs: number | null;
  checkedAt: Date;
  outcome: ProbeOutcome;
}

/** What became of it. */
export interface StoredProbe {
  serverId: string;
  name: string;
  tenantId: string | null;
  classification: Classification;
  decision: HealthDecision;
}

interface MemoryRow extends Record<string, unknown> {
  serverId: string;
  name: string;
  tenantId: string | null;
  status: ServerStatus;
  registeredVersion: string;
  intervalSeconds: number | null;
  checkedBefore: boolean;
  verdict: Verdict | null;
  verdictSinceMs: number | null;
  failures: number;
  successes: number;
  statusWritten: string | null;
  versionLearnt: string | null;
  inventoryHash: string | null;
}

export interface ProbeStore {
  /** Resolves when the result is committed; null when the server is no longer registered. */
  save(probe: FinishedProbe): Promise<StoredProbe | null>;
  idle(): Promise<void>;
}

const MAX_BATCH = 100;

/** Writes results in batches: history, server, inventory, events and next slot in one transaction. */
export function createProbeStore(db: Database, policy: HealthPolicy = DEFAULT_HEALTH_POLICY): ProbeStore {
  const batcher = createBatcher<FinishedProbe, StoredProbe | null>(MAX_BATCH, (probes) =>
    saveProbes(db, probes, policy),
  );
  return { save: (probe) => batcher.add(probe), idle: () => batcher.idle() };
}

async function saveProbes(
  db: Database,
  probes: FinishedProbe[],
  policy: HealthPolicy,
): Promise<(StoredProbe | null)[]> {
  return await db.transaction(async (tx) => {
    const memories = await readMemories(tx, probes);
    const results = probes.map((probe) => {
      const memory = memories.get(probe.serverId);
      return memory ? { probe, ...resultOf(probe, memory, policy) } : null;
    });
    const known = results.filter((result) => result !== null);
    if (known.length > 0) {
      const rows = JSON.stringify(known.map((result) => result.row));
      await insertHistory(tx, rows);
      await addUptime(tx, rows);
      await updateServers(tx, rows);
      await updateStates(tx, rows);
      await insertEvents(tx, rows);
      for (const { probe, inventoryChanged } of known) {
        const { inventory, warnings } = probe.outcome;
        if (inventoryChanged && inventory)
          await storeInventory(tx, probe.serverId, inventory, failedKinds(warnings));
      }
    }
    return results.map((result) => result?.stored ?? null);
  });
}

type Tx = Pick<Database, 'execute'>;

function failedKinds(warnings: Warning[]): Set<InventoryKind> {
  const failed = warnings.filter((warning) => warning.code === 'list_failed');
  return new Set(failed.flatMap(({ kind }) => (kind ? [kind] : [])));
}

/** Locks in one order, so that two batches that share servers cannot deadlock. */
async function readMemories(tx: Tx, probes: FinishedProbe[]): Promise<Map<string, MemoryRow>> {
  const ids = JSON.stringify(probes.map((probe) => probe.serverId));
  const rows = await tx.execute<MemoryRow>(sql`
    SELECT m.id AS "serverId", m.name, m.tenant_id AS "tenantId", m.status, m.version AS "registeredVersion",
      m.health_check_interval AS "intervalSeconds", m.last_health_check IS NOT NULL AS "checkedBefore",
      s.verdict, (extract(epoch FROM s.verdict_since) * 1000)::float8 AS "verdictSinceMs", s.failures, s.successes,
      s.status_written AS "statusWritten", s.version_learnt AS "versionLearnt", s.inventory_hash AS "inventoryHash"
    FROM mcp_server m JOIN vitals.server_state s ON s.server_id = m.id
    WHERE m.id IN (SELECT jsonb_array_elements_text(${ids}::jsonb))
    ORDER BY m.id FOR NO KEY UPDATE OF m, s`);
  return new Map(rows.map((row) => [row.serverId, row]));
}

function resultOf(probe: FinishedProbe, memory: MemoryRow, policy: HealthPolicy) {
  const { outcome, serverId, checkedAt } = probe;
  const classification = classify(outcome);
  const setByPerson =
    memory.status === 'maintenance' ||
    (memory.status === 'inactive' && memory.checkedBefore && memory.statusWritten !== 'inactive');
  const decision = decideHealth(
    {
      verdict: memory.verdict,
      verdictSince: memory.verdictSinceMs === null ? null : new Date(memory.verdictSinceMs),
      failures: memory.failures,
      successes: memory.successes,
      status: memory.status,
      held: setByPerson,
    },
    classification,
    checkedAt,
    policy,
  );
  const nextProbeMs = nextSlot({
    serverId,
    intervalMs: intervalMsOf(memory.intervalSeconds),
    nowMs: checkedAt.getTime(),
    confirmInMs: decision.confirmInMs,
    reason: classification.reason,
    retryAfterMs: outcome.fault?.kind === 'http' ? outcome.fault.retryAfterMs : undefined,
  });
  const version = outcome.serverInfo ? cleanText(outcome.serverInfo.version).slice(0, 200) : null;
  const learnsVersion =
    version !== null &&
    (memory.registeredVersion === '' || memory.registeredVersion === memory.versionLearnt);
  const inventoryHash = outcome.inventory ? hashInventory(outcome.inventory) : null;
  const answered = classification.check === 'healthy' || classification.check === 'unhealthy';
  const up = decision.healthStatus === 'healthy';

  const row = {
    serverId,
    token: probe.token,
    hostKey: probe.hostKey,
    checkedAt: checkedAt.toISOString(),
    check: classification.check,
    responseMs: answered ? Math.round(outcome.totalMs) : null,
    message: classification.reason === 'ok' ? null : cleanText(classification.message),
    metrics: cleanJson({
      ...(version === null ? {} : { version }),
      custom: {
        verdict: classification.verdict,
        reason: classification.reason,
        transport: outcome.transport,
        era: outcome.era,
        protocolVersion: outcome.protocolVersion,
        phases: outcome.phases,
        totalMs: outcome.totalMs,
        manual: probe.slotMs === null,
        ...(outcome.warnings.length > 0 ? { warnings: outcome.warnings.slice(0, 20) } : {}),
        ...(outcome.fault ? { fault: outcome.fault } : {}),
      },
    }),
    counted: decision.healthStatus === 'unknown' ? 0 : 1,
    up: up ? 1 : 0,
    status: decision.status,
    healthStatus: decision.healthStatus,
    capabilities: outcome.capabilities ? cleanJson(outcome.capabilities) : null,
    version: learnsVersion ? version : null,
    statusWritten: setByPerson ? memory.statusWritten : decision.status,
    verdict: decision.verdict,
    reason: decision.reason,
    verdictSince: decision.verdictSince.toISOString(),
    failures: decision.failures,
    successes: decision.successes,
    era: outcome.era,
    protocolVersion: outcome.protocolVersion,
    nextProbeAt: new Date(nextProbeMs).toISOString(),
    inventoryHash,
    counts: outcome.inventory ? countInventory(outcome.inventory) : null,
    event: decision.statusChange
      ? {
          title: `${cleanText(memory.name)}: ${decision.statusChange.before} → ${decision.statusChange.after}`,
          severity: severityOf(decision),
          tenantId: memory.tenantId,
          data: { ...decision.statusChange, reason: classification.reason, verdict: decision.verdict },
        }
      : null,
  };
  const stored: StoredProbe = {
    serverId,
    name: memory.name,
    tenantId: memory.tenantId,
    classification,
    decision,
  };
  return { row, stored, inventoryChanged: inventoryHash !== null && inventoryHash !== memory.inventoryHash };
}

function severityOf(decision: HealthDecision): 'info' | 'warning' | 'error' {
  if (decision.healthStatus === 'healthy') return 'info';
  return decision.verdict === 'unauthenticated' ? 'warning' : 'error';
}

async function insertHistory(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    INSERT INTO mcp_server_health_check (id, server_id, status, response_time, error_message, metrics, checked_at)
    SELECT gen_random_uuid(), "serverId", "check", "responseMs", message, metrics, "checkedAt"
    FROM json_to_recordset(${rows}::json) AS r("serverId" text, "check" text, "responseMs" integer, message text,
      metrics json, "checkedAt" timestamptz)`);
}

async function addUptime(tx: Tx, rows: string): Promise<void> {
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

async function updateServers(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    UPDATE mcp_server m SET
      status = r.status, health_status = r."healthStatus", last_health_check = r."checkedAt",
      capabilities = coalesce(r.capabilities, m.capabilities), version = coalesce(r.version, m.version),
      uptime = coalesce(h.uptime, m.uptime), avg_response_time = coalesce(h.response_time, m.avg_response_time)
    FROM (SELECT DISTINCT ON ("serverId") * FROM json_to_recordset(${rows}::json)
        AS r("serverId" text, status text, "healthStatus" text, "checkedAt" timestamptz, capabilities json, version text)
        ORDER BY "serverId", "checkedAt" DESC) r
    LEFT JOIN LATERAL (
      SELECT round(100.0 * sum(healthy) / nullif(sum(checks), 0), 2) AS uptime,
        round(1.0 * sum(response_ms_sum) / nullif(sum(responses), 0), 3) AS response_time
      FROM vitals.uptime_day u
      WHERE u.server_id = r."serverId" AND u.day > (now() AT TIME ZONE 'UTC')::date - 30
    ) h ON true
    WHERE m.id = r."serverId"`);
}

/** The run and the lease end here; the slot moves on only when this run still was the server's. */
async function updateStates(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    UPDATE vitals.server_state s SET
      host_key = r."hostKey", next_probe_at = r."nextProbeAt", verdict = r.verdict, reason = r.reason,
      message = r.message, verdict_since = r."verdictSince", last_probe_at = r."checkedAt", failures = r.failures,
      successes = r.successes, status_written = r."statusWritten", era = coalesce(r.era, s.era),
      protocol_version = coalesce(r."protocolVersion", s.protocol_version),
      version_learnt = coalesce(r.version, s.version_learnt), inventory_hash = coalesce(r."inventoryHash", s.inventory_hash),
      counts = coalesce(r.counts, s.counts), updated_at = now(),
      run_token = CASE WHEN s.run_token = r.token THEN NULL ELSE s.run_token END,
      running_until = CASE WHEN s.run_token = r.token THEN NULL ELSE s.running_until END,
      lease_until = CASE WHEN s.run_token = r.token THEN NULL ELSE s.lease_until END,
      lease_slot = CASE WHEN s.run_token = r.token THEN NULL ELSE s.lease_slot END
    FROM json_to_recordset(${rows}::json) AS r("serverId" text, token text, "hostKey" text, "nextProbeAt" timestamptz,
      verdict text, reason text, message text, "verdictSince" timestamptz, "checkedAt" timestamptz, failures integer,
      successes integer, "statusWritten" text, era text, "protocolVersion" text, version text, "inventoryHash" text,
      counts jsonb)
    WHERE s.server_id = r."serverId"`);
}

async function insertEvents(tx: Tx, rows: string): Promise<void> {
  await tx.execute(sql`
    INSERT INTO system_event (id, type, category, title, description, severity, source, tenant_id, resource_type,
      resource_id, data, occurred_at, created_at)
    SELECT gen_random_uuid(), 'server.status_changed', 'system', event->>'title', message, event->>'severity',
      'mcp-vitals', event->>'tenantId', 'mcp_server', "serverId", event->'data', "checkedAt", now()
    FROM json_to_recordset(${rows}::json) AS r("serverId" text, message text, "checkedAt" timestamptz, event json)
    WHERE json_typeof(event) = 'object'`);
}
