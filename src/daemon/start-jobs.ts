import type { Logger } from 'pino';
import { type ProbeDeps, runProbe } from '../../jobs/probe.ts';
import { runSweep, type SweepDeps, type SweepJob, type SweepResult } from '../../jobs/sweep.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { type ProbeJob, type ProbeResult, QUEUES } from '../queue/definitions.ts';
import { failJob } from './job-failure.ts';

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
  const probes = await backend.worker<ProbeJob, ProbeResult>(
    QUEUES.probe,
    settings.probeConcurrency,
    (job, token) => runProbe(deps.probe, job, token).catch(failJob(logger, 'probe')),
  );
  const sweeps = await backend.worker<SweepJob, SweepResult>(QUEUES.sweep, 1, (job) =>
    runSweep(deps.sweep, job).catch(failJob(logger, 'sweep')),
  );
  return {
    scheduleSweep: () => deps.sweep.sweepQueue.schedule('sweep', settings.sweepIntervalMs, { extra: false }),
    stopSweep: () => sweeps.close(),
    stopProbes: () => probes.close(),
  };
}
