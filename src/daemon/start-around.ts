import type { Logger } from 'pino';
import { type AroundResult, createAround } from '../../jobs/around.ts';
import type { Policy } from '../core/policy.ts';
import type { Database } from '../db/client.ts';
import { withoutParameters } from '../db/errors.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import type { ClusterJob } from './watchdog.ts';

const TICK_MS = 1_000;

export interface AroundOptions {
  backend: Pick<QueueBackend, 'queue' | 'worker'>;
  db: Database;
  policy: () => Policy;
  logger: Logger;
}

export interface RunningAround {
  /** For whoever watches that it runs. */
  job: ClusterJob;
  stop(): Promise<void>;
}

/** Maintenance, dependencies and incidents of the whole cluster: a tick each second. */
export async function startAround(options: AroundOptions): Promise<RunningAround> {
  const { backend, db, policy, logger } = options;
  const queue = backend.queue<Record<string, never>, AroundResult>(QUEUES.around);
  const around = createAround({
    db,
    policy,
    onBadWindow: (window) => logger.warn(window, 'a maintenance window cannot be used'),
  });
  const schedule = () => queue.schedule('around', TICK_MS, {});
  const worker = await backend.worker<Record<string, never>, AroundResult>(QUEUES.around, 1, async () => {
    try {
      const result = await around.run();
      const { advanced, shown, begun, ended, cycles } = result;
      if (advanced + shown + begun + ended + cycles > 0) logger.info(result, 'the surroundings have changed');
      return result;
    } catch (error) {
      const told = withoutParameters(error);
      logger.error({ err: told, job: 'around' }, 'a job failed');
      throw told;
    }
  });
  await schedule();
  return {
    job: { name: 'around', everyMs: TICK_MS, schedule },
    async stop(): Promise<void> {
      await worker.close();
      await queue.close();
    },
  };
}
