import type { Database } from '../db/client.ts';
import { lastJobRunAgeMs } from '../db/queries/job-run.ts';
import { startPeriodic } from './periodic.ts';

/** A run may be slow, and miss a tick: three of them, or some seconds, are an outage. */
export const lateAfterMs = (everyMs: number): number => Math.max(3 * everyMs, 15_000);

/** Something that a job scheduler does once in the whole cluster, and that notes its runs in `job_run`. */
export interface ClusterJob {
  /** As `job_run` has it. */
  name: string;
  everyMs: number;
  /** Makes its job scheduler, or makes sure of it. */
  schedule: () => Promise<void>;
}

export interface WatchdogDeps {
  db: Database;
  jobs: readonly ClusterJob[];
  onRestart: (name: string, ageMs: number) => void;
  onError: (error: unknown) => void;
}

/**
 * Every replica looks whether the cluster's jobs still run, and schedules them again when they do not: a queue
 * that lost its data (a Redis that was emptied) has lost the schedulers, too, and nothing else would bring them back.
 */
export function startWatchdog(deps: WatchdogDeps): { stop: () => Promise<void> } {
  return startPeriodic(
    'watchdog',
    async () => {
      for (const { name, everyMs, schedule } of deps.jobs) {
        const ageMs = await lastJobRunAgeMs(deps.db, name);
        if (ageMs === null || ageMs <= lateAfterMs(everyMs)) continue;
        deps.onRestart(name, ageMs);
        await schedule();
      }
    },
    deps.onError,
  );
}
