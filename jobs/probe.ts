import { randomUUID } from 'node:crypto';
import { DelayedError } from 'bullmq';
import { reasonOf } from '../src/core/classify.ts';
import { sharedPartsOf } from '../src/core/incidents/parts-of.ts';
import type { CanarySettings } from '../src/core/monitor/canary-settings.ts';
import type { ParsedMonitor } from '../src/core/monitor/monitor-settings.ts';
import { pathText } from '../src/core/monitor/reader.ts';
import type { SpareReason } from '../src/core/monitor/spare-probe.ts';
import { faultOutcome, type ProbeOutcome, type Warning } from '../src/core/outcome.ts';
import type { Reason } from '../src/core/reasons.ts';
import type { BadTarget, ProbeTarget, RegistryServer } from '../src/core/target.ts';
import type { Database } from '../src/db/client.ts';
import { abandonRun, startRun } from '../src/db/queries/run.ts';
import type { ProbeStore, StoredProbe } from '../src/db/queries/store.ts';
import type { Job } from '../src/queue/backend.ts';
import { type ProbeJob, type ProbeResult, probeJobSchema } from '../src/queue/definitions.ts';

export interface ProbeDeps {
  db: Database;
  store: ProbeStore;
  targetOf: (server: RegistryServer) => ProbeTarget | BadTarget;
  hostKeyOf: (server: RegistryServer) => string;
  probe: (
    target: ProbeTarget,
    request: { signal: AbortSignal; canary: CanarySettings | null },
  ) => Promise<ProbeOutcome>;
  /** Puts a server on the schedule that no sweep has met yet; false when it is not registered. */
  schedule: (serverId: string) => Promise<boolean>;
  /** Whether what a probe saw is the worker's own fault; told of every outcome, `reason` null for an answer. */
  isOurs?: (probe: { serverId: string; reason: Reason | null; hostKey: string }) => Promise<boolean>;
  /** Aborted when the daemon will not wait for probes any longer. */
  signal: AbortSignal;
  perHost: number;
  onStored: (stored: StoredProbe, outcome: ProbeOutcome) => void;
  /** Told of a scheduled probe that was left out. */
  onSpared: (reason: SpareReason) => void;
}

/** What a run may take beyond its probe: ending children, waiting for the database. */
const RUN_GRACE_MS = 30_000;
const BUSY_DELAY_MS = 250;
const LONGEST_BUSY_DELAY_MS = 5_000;
/** A fault of ours would most likely come again at once, and the server would be probed for nothing. */
const RETRY_OWN_FAULT_MS = 30_000;

/**
 * One probe, from the run lock to the committed result. A target's fault is a result like any other:
 * the job fails only for faults of our own.
 */
export async function runProbe(
  deps: ProbeDeps,
  job: Job<ProbeJob, ProbeResult>,
  jobToken: string,
): Promise<ProbeResult> {
  const { serverId, slotMs } = probeJobSchema.parse(job.data);
  const token = randomUUID();
  const start = await begin(deps, { serverId, slotMs, token });
  if (start.state === 'host_busy') return await delay(job, jobToken, backoffMs(job));
  if (start.state === 'spared') deps.onSpared(start.reason);
  if (start.state !== 'started') return { state: 'skipped' };

  try {
    const { server, monitor } = start;
    const checkedAt = new Date();
    const target = deps.targetOf(server);
    const { canary } = monitor.settings;
    const outcome =
      'kind' in target ? faultOutcome(target) : await deps.probe(target, { signal: deps.signal, canary });
    outcome.warnings.push(...warningsOf(monitor));
    // A probe that we cut short says nothing about its target: it is left for the next worker.
    if (deps.signal.aborted && outcome.fault) {
      await abandonRun(deps.db, serverId, token, 0);
      return await delay(job, jobToken, 0);
    }
    const hostKey = deps.hostKeyOf(server);
    const fault = outcome.fault ? reasonOf(outcome.fault) : null;
    const certificateIssuer = outcome.certificate?.issuer ?? null;
    const stored = await deps.store.save({
      serverId,
      token,
      hostKey,
      slotMs,
      checkedAt,
      outcome,
      monitorOffline: (await deps.isOurs?.({ serverId, reason: fault, hostKey })) ?? false,
      shared: sharedPartsOf({ hostKey, authConfig: server.authConfig, certificateIssuer }),
    });
    if (!stored) return { state: 'skipped' };
    deps.onStored(stored, outcome);
    const { verdict, reason } = stored.decision.own;
    return { state: 'stored', verdict, reason };
  } catch (error) {
    if (!(error instanceof DelayedError)) await abandonAfter(error, deps.db, serverId, token);
    throw error;
  }
}

/** What is wrong with a server's monitoring settings is told with what its probe saw. */
function warningsOf({ problems }: ParsedMonitor): Warning[] {
  return problems.map(({ path, message }) => ({
    code: 'bad_monitor_settings',
    message: `settings.${pathText(['monitor', ...path])} ${message}`,
  }));
}

async function begin(deps: ProbeDeps, run: { serverId: string; slotMs: number | null; token: string }) {
  const budgetMsOf = (server: RegistryServer): number => {
    const target = deps.targetOf(server);
    return RUN_GRACE_MS + ('kind' in target ? 0 : target.timeoutMs);
  };
  const request = { ...run, budgetMsOf, perHost: deps.perHost };
  const start = await startRun(deps.db, request);
  if (start.state !== 'gone' || !(await deps.schedule(run.serverId))) return start;
  return await startRun(deps.db, request);
}

/** The run must not stay locked for its whole budget; when even that fails, both faults are told. */
async function abandonAfter(cause: unknown, db: Database, serverId: string, token: string): Promise<void> {
  try {
    await abandonRun(db, serverId, token, RETRY_OWN_FAULT_MS);
  } catch (error) {
    throw new AggregateError([cause, error], 'the result could not be stored, nor its run be released');
  }
}

/** Longer each time, and never in step with the others that wait for the same host. */
function backoffMs(job: Job<ProbeJob, ProbeResult>): number {
  const longest = Math.min(LONGEST_BUSY_DELAY_MS, BUSY_DELAY_MS * 2 ** Math.min(job.attemptsStarted, 10));
  return longest * (0.5 + Math.random() / 2);
}

async function delay(job: Job<ProbeJob, ProbeResult>, jobToken: string, delayMs: number): Promise<never> {
  // A whole number: BullMQ's PostgreSQL backend refuses a fraction of a millisecond.
  await job.moveToDelayed(Date.now() + Math.round(delayMs), jobToken);
  throw new DelayedError();
}
