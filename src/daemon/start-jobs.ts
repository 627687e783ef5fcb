import { DelayedError } from 'bullmq';
import type { Logger } from 'pino';
import { type ProbeDeps, runProbe } from '../../jobs/probe.ts';
import { runSweep, type SweepDeps, type SweepJob, type SweepResult } from '../../jobs/sweep.ts';
import { withoutParameters } from '../db/errors.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { type ProbeJob, type ProbeResult, QUEUES } from '../queue/definitions.ts';

export interface JobSettings {
  probeConcurrency: number;
  sweepIntervalMs: number;
}

export interface RunningJobs {
  /** Begins the sweeps of the whole cluster, or makes sure of them. */
  scheduleSweep(): Promise<void>;
  /** Takes nothing new; resolves when what is in flight has ended. */
  stopSweep(): Promise<void>;
  stopProbes(): Promise<void>;
}

/** Every processor of the product and the queue that it serves. */
export async function startJobs(
  backend: QueueBackend,
  deps: { sweep: SweepDeps; probe: ProbeDeps },
  settings: JobSettings,
  logger: Logger,
): Promise<RunningJobs> {
  const failed = (job: string) => (error: unknown) => {
    // How BullMQ is told that a job was put off: no failure.
    if (error instanceof DelayedError) throw error;
    const told = withoutParameters(error);
    logger.error({ err: told, job }, 'a job failed');
    throw told;
  };
  const probes = await backend.worker<ProbeJob, ProbeResult>(
    QUEUES.probe,
    settings.probeConcurrency,
    (job, token) => runProbe(deps.probe, job, token).catch(failed('probe')),
  );
  const sweeps = await backend.worker<SweepJob, SweepResult>(QUEUES.sweep, 1, (job) =>
    runSweep(deps.sweep, job).catch(failed('sweep')),
  );
  return {
    scheduleSweep: () => deps.sweep.sweepQueue.schedule('sweep', settings.sweepIntervalMs, { extra: false }),
    stopSweep: () => sweeps.close(),
    stopProbes: () => probes.close(),
  };
}
