import type { Logger } from 'pino';
import { runCalls } from '../../jobs/calls.ts';
import type { CallsPolicy } from '../core/policy.ts';
import type { Database } from '../db/client.ts';
import { withoutParameters } from '../db/errors.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import type { ClusterJob } from './watchdog.ts';

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
}: CallsOptions): Promise<{ job: ClusterJob; stop: () => Promise<void> }> {
  const queue = backend.queue<Record<string, never>, { hurried: number }>(QUEUES.calls);
  const worker = await backend.worker<Record<string, never>, { hurried: number }>(QUEUES.calls, 1, () =>
    runCalls({
      db,
      policy,
      onHurried: (serverIds) =>
        logger.info({ serverIds: serverIds.slice(0, 100) }, 'real calls tell something new: probing'),
    }).catch((error: unknown) => {
      const told = withoutParameters(error);
      logger.error({ err: told, job: 'calls' }, 'a job failed');
      throw told;
    }),
  );
  const schedule = () => queue.schedule('calls', lookEveryMs, {});
  await schedule();
  return {
    job: { name: 'calls', everyMs: lookEveryMs, schedule },
    async stop() {
      await worker.close();
      await queue.close();
    },
  };
}
