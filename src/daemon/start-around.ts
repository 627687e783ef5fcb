import type { Logger } from 'pino';
import { type AroundResult, createAround } from '../../jobs/around.ts';
import type { Policy } from '../core/policy.ts';
import type { Database } from '../db/client.ts';
import { withoutParameters } from '../db/errors.ts';
import { lastJobRunAgeMs } from '../db/queries/job-run.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { startPeriodic } from './periodic.ts';

const TICK_MS = 1_000;
/** So long without a tick on any replica, and its scheduler is made anew. */
const LATE_AFTER_MS = 15_000;

export interface AroundOptions {
  backend: Pick<QueueBackend, 'queue' | 'worker'>;
  db: Database;
  policy: () => Policy;
  logger: Logger;
}

/** Maintenance, dependencies and incidents of the whole cluster: a tick each second, and a watch over it. */
export async function startAround({ backend, db, policy, logger }: AroundOptions) {
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
  const watch = startPeriodic(
    'around',
    async () => {
      const ageMs = await lastJobRunAgeMs(db, 'around');
      if (ageMs === null || ageMs <= LATE_AFTER_MS) return;
      logger.warn(
        { ageMs: Math.round(ageMs) },
        'nothing has looked at the surroundings lately: scheduling it anew',
      );
      await schedule();
    },
    (error) => logger.warn({ err: withoutParameters(error) }, 'the watch over the surroundings failed'),
  );
  return {
    async stop(): Promise<void> {
      await watch.stop();
      await worker.close();
      await queue.close();
    },
  };
}
