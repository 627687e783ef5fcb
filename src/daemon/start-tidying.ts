import type { Logger } from 'pino';
import { runTidyInventories } from '../../jobs/tidy-inventories.ts';
import type { Database } from '../db/client.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { type RunningClusterJob, startClusterJob } from './start-cluster-job.ts';

/** An hour: what it ends has lasted a day. */
const EVERY_MS = 3_600_000;

/** The recurring job that looks after stored inventories, once in the cluster. */
export async function startTidying(
  backend: QueueBackend,
  db: Database,
  logger: Logger,
): Promise<RunningClusterJob> {
  return await startClusterJob({
    backend,
    queue: QUEUES.tidy,
    name: 'tidy-inventories',
    everyMs: EVERY_MS,
    run: () => runTidyInventories(db),
    logger,
  });
}
