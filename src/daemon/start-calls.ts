import type { Logger } from 'pino';
import { runCalls } from '../../jobs/calls.ts';
import type { CallsPolicy } from '../core/policy.ts';
import type { Database } from '../db/client.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { type RunningClusterJob, startClusterJob } from './start-cluster-job.ts';

/** How soon real calls that begin to fail are noticed; one statement each time, once in the cluster. */
const LOOK_EVERY_MS = 15_000;

export interface CallsOptions {
  backend: QueueBackend;
  db: Database;
  policy: () => CallsPolicy;
  logger: Logger;
  lookEveryMs?: number;
}

/** Has the real calls looked at again and again, once in the whole cluster. */
export async function startCalls({
  backend,
  db,
  policy,
  logger,
  lookEveryMs = LOOK_EVERY_MS,
}: CallsOptions): Promise<RunningClusterJob> {
  const onHurried = (serverIds: string[]) =>
    logger.info({ serverIds: serverIds.slice(0, 100) }, 'real calls tell something new: probing');
  return await startClusterJob({
    backend,
    queue: QUEUES.calls,
    name: 'calls',
    everyMs: lookEveryMs,
    run: () => runCalls({ db, policy, onHurried }),
    logger,
  });
}
