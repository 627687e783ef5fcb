import type { Database } from '../db/client.ts';
import { lastJobRunAgeMs } from '../db/queries/job-run.ts';
import { startPeriodic } from './periodic.ts';

/** A sweep may be slow, and miss a tick: three of them, or some seconds, are an outage. */
export const sweepLateAfterMs = (sweepIntervalMs: number): number => Math.max(3 * sweepIntervalMs, 15_000);

export interface WatchdogDeps {
  db: Database;
  sweepIntervalMs: number;
  /** Makes the job scheduler of the sweep anew. */
  scheduleSweep: () => Promise<void>;
  onRestart: (ageMs: number) => void;
  onError: (error: unknown) => void;
}

/**
 * Every replica looks whether sweeps still run, and schedules them again when they do not: a queue that
 * lost its data (a Redis that was emptied) has lost the scheduler, too, and nothing else would bring it back.
 */
export function startWatchdog(deps: WatchdogDeps): { stop: () => Promise<void> } {
  return startPeriodic(
    'watchdog',
    async () => {
      const ageMs = await lastJobRunAgeMs(deps.db, 'sweep');
      if (ageMs === null || ageMs <= sweepLateAfterMs(deps.sweepIntervalMs)) return;
      deps.onRestart(ageMs);
      await deps.scheduleSweep();
    },
    deps.onError,
  );
}
