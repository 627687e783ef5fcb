import { daysUntil } from '../../core/certificates/expiry-alerts.ts';
import { type Classification, classify } from '../../core/classify.ts';
import type { HealthContext } from '../../core/health/context.ts';
import { decideHealth, type HealthDecision, healthStatusOf } from '../../core/health/decide-health.ts';
import { parseState, type ServerStatus } from '../../core/health/memory.ts';
import type { SharedParts } from '../../core/incidents/shared-parts.ts';
import { cleanJson, cleanText, countInventory, type InventoryCounts } from '../../core/inventory.ts';
import { monitorOfSettings } from '../../core/monitor/monitor-settings.ts';
import type {
  Inventory,
  InventoryKind,
  ProbeOutcome,
  ServerCertificate,
  Warning,
} from '../../core/outcome.ts';
import type { Policy } from '../../core/policy.ts';
import { healthRecord } from '../../core/replay/health-record.ts';
import { intervalMsOf, nextSlot } from '../../core/schedule.ts';
import type { PreparedInventory } from './inventory-write.ts';

/** A probe that has ended, on its way into the database. */
export interface FinishedProbe {
  serverId: string;
  /** The run that it ends; a result whose run was taken over is history only. */
  token: string;
  hostKey: string;
  slotMs: number | null;
  checkedAt: Date;
  outcome: ProbeOutcome;
  /** What it shares with others that may fail with it; what is not given stays as it was. */
  shared?: SharedParts;
  /** What its inventory means, found out beforehand; null without one. */
  listing: PreparedInventory | null;
  /** The worker itself was cut off at that moment. */
  monitorOffline?: boolean;
}

/** What became of it. */
export interface StoredProbe {
  serverId: string;
  name: string;
  tenantId: string | null;
  /** What the probe alone says; what it means is in the decision. */
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
  failures: number;
  successes: number;
  memory: unknown;
  latency: unknown;
  /** mcp_server.settings. */
  settings: unknown;
  statusWritten: string | null;
  versionLearnt: string | null;
  inventoryHash: string | null;
  counts: InventoryCounts | null;
  runToken: string | null;
  /** The database's clock: slots are compared with it, so they are made from it. */
  nowMs: number;
}

/** What a result is judged by, beside itself. */
export interface Surrounding {
  policy: Policy;
  failingCalls: HealthContext['failingCalls'];
}

/** One result as the statements of a batch take it, and what the caller is told. */
export function resultOf(probe: FinishedProbe, memory: MemoryRow, { policy, failingCalls }: Surrounding) {
  const { outcome, serverId } = probe;
  const classification = classify(outcome);
  const held =
    (memory.status === 'maintenance' && memory.statusWritten !== 'maintenance') ||
    (memory.status === 'inactive' && memory.checkedBefore && memory.statusWritten !== 'inactive');
  const before = parseState(memory, memory);
  /** false: another probe of the server began since, and this one is history only. */
  const current = memory.runToken === probe.token;
  const checkedMs = current
    ? checkedAtMs(probe, before.state.memory.lastMs, memory.nowMs)
    : probe.checkedAt.getTime();
  const input = {
    subject: { id: serverId, name: memory.name, tenantId: memory.tenantId },
    observation: {
      atMs: checkedMs,
      seen: { ...classification, message: cleanText(classification.message) },
      phases: outcome.phases,
      totalMs: outcome.totalMs,
      manual: probe.slotMs === null,
    },
    context: { monitorOffline: probe.monitorOffline === true, failingCalls },
    registered: { status: memory.status, held, ours: memory.status === memory.statusWritten },
    objective: monitorOfSettings(memory.settings).settings.slo.objective ?? policy.slo.objective,
  };
  const decision = decideHealth(before.state, input, policy);
  const { own } = decision;
  const nextProbeMs = nextSlot({
    serverId,
    intervalMs: intervalMsOf(memory.intervalSeconds),
    nowMs: memory.nowMs,
    confirmInMs: decision.confirmInMs,
    reason: own.reason,
    retryAfterMs: outcome.fault?.kind === 'http' ? outcome.fault.retryAfterMs : undefined,
  });
  const version = outcome.serverInfo ? cleanText(outcome.serverInfo.version).slice(0, 200) : null;
  const learnsVersion =
    version !== null &&
    (memory.registeredVersion === '' || memory.registeredVersion === memory.versionLearnt);
  const { inventory } = outcome;
  const failed = failedKinds(outcome.warnings);
  // Of a listing that failed in part neither hash nor counts would say what is in the tables.
  const inventoryHash = probe.listing?.hash ?? null;
  const answered = classification.check === 'healthy' || classification.check === 'unhealthy';
  const health = current ? decision.healthStatus : healthStatusOf(classification.verdict);

  const row = {
    serverId,
    token: probe.token,
    hostKey: probe.hostKey,
    bytes: outcome.bytes.sent + outcome.bytes.received,
    checkedAt: new Date(checkedMs).toISOString(),
    check: classification.check,
    responseMs: answered ? Math.round(outcome.totalMs) : null,
    message: current ? own.message : classification.reason === 'ok' ? null : input.observation.seen.message,
    metrics: cleanJson({
      ...(version === null ? {} : { version }),
      custom: {
        ...(current
          ? healthRecord(input, before, decision)
          : { verdict: classification.verdict, reason: classification.reason }),
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
        ...(outcome.certificate ? { certificate: certificateOf(outcome.certificate, probe.checkedAt) } : {}),
      },
    }),
    counted: health === 'unknown' ? 0 : 1,
    up: health === 'healthy' ? 1 : 0,
    capabilities: boundedJson(outcome.capabilities),
    version: learnsVersion ? version : null,
    own,
    ownStatus: decision.state.memory.status,
    shared: probe.shared ? cleanJson(probe.shared) : null,
    memory: decision.state.memory,
    latency: decision.state.latency,
    flapping: decision.flapping,
    errorBudgetLeft: decision.errorBudgetLeft,
    failures: decision.state.memory.runs.failures,
    successes: decision.state.memory.runs.successes,
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
          data: { ...decision.statusChange, reason: own.reason, verdict: own.verdict },
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
    knownHash: memory.inventoryHash,
    current,
    /** What is shown of it, as far as the server alone decides. */
    shown: {
      serverId,
      own,
      status: decision.status,
      healthStatus: decision.healthStatus,
      held: held ? memory.status : null,
      atMs: checkedMs,
    },
  };
}

function certificateOf({ issuer, subject, validToMs }: ServerCertificate, checkedAt: Date) {
  const daysLeft = validToMs === null ? null : daysUntil(validToMs, checkedAt.getTime());
  return { issuer, subject, daysLeft };
}

/**
 * The moment of a result that counts: of one server each lies behind the one before, also when the
 * clocks of two workers differ, so that the order of its history is the order of what was decided.
 */
function checkedAtMs(probe: FinishedProbe, lastMs: number | null, nowMs: number): number {
  const toldMs = Math.min(probe.checkedAt.getTime(), Math.floor(nowMs));
  return lastMs === null ? toldMs : Math.max(toldMs, lastMs + 1);
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
  return decision.own.verdict === 'unauthenticated' ? 'warning' : 'error';
}
