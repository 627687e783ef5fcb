import { type Classification, classify } from '../../core/classify.ts';
import {
  decideHealth,
  type HealthDecision,
  type HealthPolicy,
  type ServerStatus,
} from '../../core/health.ts';
import { cleanJson, cleanText, countInventory, hashInventory } from '../../core/inventory.ts';
import type { ProbeOutcome } from '../../core/outcome.ts';
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
