import type { Logger } from 'pino';
import type { QueueBackend } from '../queue/backend.ts';
import { failJob } from './job-failure.ts';
import type { ClusterJob } from './watchdog.ts';

export interface RunningClusterJob {
  /** For whoever watches that it runs. */
  job: ClusterJob;
  /** Takes nothing new; resolves when what is in flight has ended. */
  stop(): Promise<void>;
}

/** Has something done again and again, once in the whole cluster: each replica offers to do it. */
export async function startClusterJob<Result extends object>(options: {
  backend: Pick<QueueBackend, 'queue' | 'worker'>;
  queue: string;
  name: string;
  everyMs: number;
  run: () => Promise<Result>;
  logger: Pick<Logger, 'error'>;
}): Promise<RunningClusterJob> {
  const { backend, name, everyMs, run, logger } = options;
  const queue = backend.queue<object, Result>(options.queue);
  const worker = await backend.worker<object, Result>(options.queue, 1, () =>
    run().catch(failJob(logger, name)),
  );
  const job: ClusterJob = { name, everyMs, schedule: () => queue.schedule(name, everyMs, {}) };
  await job.schedule();
  return {
    job,
    async stop() {
      await worker.close();
      await queue.close();
    },
  };
}
