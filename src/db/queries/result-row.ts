import { daysUntil } from '../../core/certificates/expiry-alerts.ts';
import { type Classification, classify } from '../../core/classify.ts';
import {
  decideHealth,
  type HealthDecision,
  type HealthPolicy,
  type ServerStatus,
} from '../../core/health/decide-health.ts';
import {
  cleanJson,
  cleanText,
  countInventory,
  hashInventory,
  type InventoryCounts,
} from '../../core/inventory.ts';
import type {
  Inventory,
  InventoryKind,
  ProbeOutcome,
  ServerCertificate,
  Warning,
} from '../../core/outcome.ts';
import type { Verdict } from '../../core/reasons.ts';
import { intervalMsOf, nextSlot } from '../../core/schedule.ts';

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
  /** Why the inventory could not be stored; the verdict was. */
  inventoryProblem: string | null;
}

/** What the database remembers of a server. */
export interface MemoryRow extends Record<string, unknown> {
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
  counts: InventoryCounts | null;
  runToken: string | null;
  /** The database's clock: slots are compared with it, so they are made from it. */
  nowMs: number;
}

/** One result as the statements of a batch take it, and what the caller is told. */
export function resultOf(probe: FinishedProbe, memory: MemoryRow, policy: HealthPolicy) {
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
    nowMs: memory.nowMs,
    confirmInMs: decision.confirmInMs,
    reason: classification.reason,
    retryAfterMs: outcome.fault?.kind === 'http' ? outcome.fault.retryAfterMs : undefined,
  });
  const version = outcome.serverInfo ? cleanText(outcome.serverInfo.version).slice(0, 200) : null;
  const learnsVersion =
    version !== null &&
    (memory.registeredVersion === '' || memory.registeredVersion === memory.versionLearnt);
  const { inventory } = outcome;
  const failed = failedKinds(outcome.warnings);
  // Of a listing that failed in part neither hash nor counts would say what is in the tables.
  const inventoryHash = inventory && failed.size === 0 ? hashInventory(inventory) : null;
  const answered = classification.check === 'healthy' || classification.check === 'unhealthy';
  const up = decision.healthStatus === 'healthy';

  const row = {
    serverId,
    token: probe.token,
    hostKey: probe.hostKey,
    bytes: outcome.bytes.sent + outcome.bytes.received,
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
        bytes: outcome.bytes,
        ...(outcome.canary ? { canary: outcome.canary } : {}),
        manual: probe.slotMs === null,
        ...(outcome.warnings.length > 0 ? { warnings: outcome.warnings.slice(0, 20) } : {}),
        ...(outcome.fault ? { fault: outcome.fault } : {}),
        ...(outcome.certificate ? { certificate: certificateOf(outcome.certificate, checkedAt) } : {}),
      },
    }),
    counted: decision.healthStatus === 'unknown' ? 0 : 1,
    up: up ? 1 : 0,
    status: decision.status,
    healthStatus: decision.healthStatus,
    capabilities: boundedJson(outcome.capabilities),
    version: learnsVersion ? version : null,
    statusWritten: setByPerson ? memory.statusWritten : decision.status,
    verdict: decision.verdict,
    reason: decision.reason,
    verdictSince: decision.verdictSince.toISOString(),
    failures: decision.failures,
    successes: decision.successes,
    era: outcome.era,
    // What was pinned did not answer: the next probe negotiates anew.
    eraFailed:
      outcome.era === null &&
      outcome.fault !== null &&
      'phase' in outcome.fault &&
      outcome.fault.phase === 'handshake',
    protocolVersion: outcome.protocolVersion,
    nextProbeAt: new Date(nextProbeMs).toISOString(),
    inventoryHash,
    counts: inventory ? countsOf(inventory, failed, memory.counts) : null,
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
    inventoryProblem: null,
  };
  return {
    row,
    stored,
    /** false: another probe of the server began since, and this one is history only. */
    current: memory.runToken === probe.token,
    failed,
    inventoryChanged:
      inventory !== null && (inventoryHash === null || inventoryHash !== memory.inventoryHash),
  };
}

function certificateOf({ issuer, subject, validToMs }: ServerCertificate, checkedAt: Date) {
  const daysLeft = validToMs === null ? null : daysUntil(validToMs, checkedAt.getTime());
  return { issuer, subject, daysLeft };
}

function failedKinds(warnings: Warning[]): Set<InventoryKind> {
  const failed = warnings.filter((warning) => warning.code === 'list_failed');
  return new Set(failed.flatMap(({ kind }) => (kind ? [kind] : [])));
}

function countsOf(
  inventory: Inventory,
  failed: Set<InventoryKind>,
  before: InventoryCounts | null,
): InventoryCounts {
  const counts = countInventory(inventory);
  for (const kind of failed) counts[kind] = before?.[kind] ?? 0;
  return counts;
}

/** Longer than any server describes itself honestly; what is longer is not kept, the last that fitted is. */
const MAX_CAPABILITIES_LENGTH = 64 * 1024;

function boundedJson(value: Record<string, unknown> | null): unknown {
  if (value === null) return null;
  const clean = cleanJson(value);
  return JSON.stringify(clean).length > MAX_CAPABILITIES_LENGTH ? null : clean;
}

function severityOf(decision: HealthDecision): 'info' | 'warning' | 'error' {
  if (decision.healthStatus === 'healthy') return 'info';
  return decision.verdict === 'unauthenticated' ? 'warning' : 'error';
}
