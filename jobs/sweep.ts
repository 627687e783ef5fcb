import { intervalMsOf, lateQuota, slotAfter } from '../src/core/schedule.ts';
import type { Database } from '../src/db/client.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';
import {
  type ClaimedServer,
  claimDue,
  findUnscheduled,
  type NewServer,
  releaseClaims,
  scheduleServers,
} from '../src/db/queries/sweep.ts';
import { endUnwatchedAlerts } from '../src/db/queries/unwatched.ts';
import type { Job, JobQueue } from '../src/queue/backend.ts';
import { KEEP, PRIORITY, type ProbeJob, type ProbeResult, slotJobId } from '../src/queue/definitions.ts';

/** `extra`: not the scheduler's own tick, only a second look at hosts that had no room. */
export interface SweepJob {
  extra: boolean;
}
export interface SweepResult {
  scheduled: number;
  claimed: number;
  heldBack: number;
}

export interface SweepDeps {
  db: Database;
  sweepQueue: JobQueue<SweepJob, SweepResult>;
  probeQueue: JobQueue<ProbeJob, ProbeResult>;
  hostKeyOf: (server: { id: string; endpointUrl: string; transportType: string }) => string;
  settings: { intervalMs: number; batchSize: number; perHost: number };
}

const NEW_SERVERS_AT_ONCE = 1000;
/** Long enough for a full queue; a claim whose job was lost comes back after it. */
const LEASE_MS = 120_000;
/** A slot missed by more than this was missed by an outage of ours, not by a busy second. */
const LATE_AFTER_MS = 30_000;
const EXTRA_SWEEP_DELAY_MS = 250;

/** Finds servers that are due, leases them, and queues a probe for each. */
export async function runSweep(deps: SweepDeps, job: Job<SweepJob, SweepResult>): Promise<SweepResult> {
  const { db, settings } = deps;
  const room = settings.batchSize - (await countWaiting(deps.probeQueue));
  const startedAt = new Date();
  const newServers = await findUnscheduled(db, NEW_SERVERS_AT_ONCE);
  await scheduleServers(
    db,
    newServers.map((server) => firstSlot(server, deps.hostKeyOf, startedAt.getTime())),
  );
  if (!job.data.extra) await endUnwatchedAlerts(db);
  const claim = await claimDue(db, {
    limit: Math.max(0, room),
    perHost: settings.perHost,
    leaseMs: LEASE_MS,
    lateAfterMs: LATE_AFTER_MS,
    lateQuota: (perSecond) => (job.data.extra ? 0 : lateQuota(perSecond, settings.intervalMs)),
  });
  // Another sweep is under way: what it finds is for it to tell.
  if (!claim) return { scheduled: newServers.length, claimed: 0, heldBack: 0 };
  await enqueue(deps, claim.servers);
  if (claim.heldBack > 0) {
    const opts = {
      delay: EXTRA_SWEEP_DELAY_MS,
      deduplication: { id: 'extra-sweep' },
      removeOnComplete: true,
    };
    await deps.sweepQueue.add('sweep', { extra: true }, { ...opts, removeOnFail: true });
  }
  const result = { scheduled: newServers.length, claimed: claim.servers.length, heldBack: claim.heldBack };
  await recordJobRun(db, 'sweep', startedAt, result);
  return result;
}

/** What is claimed while others wait would wait, too, and its lease run out: the queue is kept short. */
async function countWaiting(queue: SweepDeps['probeQueue']): Promise<number> {
  const { waiting = 0, prioritized = 0, delayed = 0 } = await queue.counts();
  return waiting + prioritized + delayed;
}

/** A server that was never checked is due now; any other keeps to its phase, so that an adopted fleet is spread. */
function firstSlot(server: NewServer, hostKeyOf: SweepDeps['hostKeyOf'], nowMs: number) {
  return {
    serverId: server.id,
    hostKey: hostKeyOf(server),
    nextProbeMs: server.checkedBefore
      ? slotAfter(server.id, intervalMsOf(server.intervalSeconds), nowMs)
      : nowMs,
  };
}

async function enqueue({ db, probeQueue }: SweepDeps, servers: ClaimedServer[]): Promise<void> {
  if (servers.length === 0) return;
  try {
    await probeQueue.addBulk(
      servers.map(({ serverId, slotMs, leaseMs, firstCheck }) => ({
        name: 'probe',
        data: { serverId, slotMs: Math.round(slotMs) },
        // The lease, not the slot, names the job: a slot that is claimed again must not meet the
        // finished job of its first claim, which BullMQ would take for the same.
        // A claim whose job fails waits for the end of its lease: a moment without the database is outlived.
        opts: {
          ...KEEP,
          attempts: 3,
          backoff: { type: 'exponential', delay: 1_000 },
          jobId: slotJobId(serverId, leaseMs),
          priority: firstCheck ? PRIORITY.firstCheck : PRIORITY.scheduled,
        },
      })),
    );
  } catch (error) {
    await releaseClaims(
      db,
      servers.map((server) => server.serverId),
    );
    throw error;
  }
}
