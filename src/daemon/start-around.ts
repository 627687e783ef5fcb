import type { Logger } from 'pino';
import { type AroundResult, createAround } from '../../jobs/around.ts';
import type { Policy } from '../core/policy.ts';
import type { Database } from '../db/client.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { type RunningClusterJob, startClusterJob } from './start-cluster-job.ts';

const TICK_MS = 1_000;

export interface AroundOptions {
  backend: Pick<QueueBackend, 'queue' | 'worker'>;
  db: Database;
  policy: () => Policy;
  logger: Logger;
}

/** Maintenance, dependencies and incidents of the whole cluster: a tick each second. */
export async function startAround(options: AroundOptions): Promise<RunningClusterJob> {
  const { backend, db, policy, logger } = options;
  const around = createAround({
    db,
    policy,
    onBadWindow: (window) => logger.warn(window, 'a maintenance window cannot be used'),
  });
  const run = async (): Promise<AroundResult> => {
    const result = await around.run();
    const { advanced, shown, begun, ended, cycles } = result;
    if (advanced + shown + begun + ended + cycles > 0) logger.info(result, 'the surroundings have changed');
    return result;
  };
  return await startClusterJob({
    backend,
    queue: QUEUES.around,
    name: 'around',
    everyMs: TICK_MS,
    run,
    logger,
  });
}
