import type { Logger } from 'pino';
import { runTidyInventories } from '../../jobs/tidy-inventories.ts';
import type { Database } from '../db/client.ts';
import { withoutParameters } from '../db/errors.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import type { ClusterJob } from './watchdog.ts';

/** An hour: what it ends has lasted a day. */
const EVERY_MS = 3_600_000;

/** The recurring job that looks after stored inventories, once in the cluster. */
export async function startTidying(
  backend: QueueBackend,
  db: Database,
  logger: Logger,
): Promise<{ job: ClusterJob; stop(): Promise<void> }> {
  const queue = backend.queue<object, object>(QUEUES.tidy);
  const worker = await backend.worker<object, object>(QUEUES.tidy, 1, async () => {
    try {
      return await runTidyInventories(db);
    } catch (error) {
      const told = withoutParameters(error);
      logger.error({ err: told, job: 'tidy-inventories' }, 'a job failed');
      throw told;
    }
  });
  const job: ClusterJob = {
    name: 'tidy-inventories',
    everyMs: EVERY_MS,
    schedule: () => queue.schedule('tidy-inventories', EVERY_MS, {}),
  };
  await job.schedule();
  return {
    job,
    async stop() {
      await worker.close();
      await queue.close();
    },
  };
}
