import type { Logger } from 'pino';
import { runHealthRollup } from '../../jobs/health-rollup.ts';
import type { SettingValues } from '../core/settings/known-settings.ts';
import type { Database } from '../db/client.ts';
import type { HealthRollup } from '../db/queries/health-rollup.ts';
import type { SetAsideCounts } from '../db/queries/set-aside.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { failJob } from './job-failure.ts';
import type { ClusterJob } from './watchdog.ts';

/** How old history may be that is read; a run without new checks costs some milliseconds. */
const EVERY_MS = 10_000;

export interface HealthRollupDeps {
  backend: QueueBackend;
  db: Database;
  readSettings: () => Promise<SettingValues>;
  logger: Logger;
  /** Told of health checks that were set aside, by why. */
  onSetAside: (counts: SetAsideCounts) => void;
}

/** Has health checks rolled up again and again, once in the whole cluster. */
export async function startHealthRollup({
  backend,
  db,
  readSettings,
  logger,
  onSetAside,
}: HealthRollupDeps): Promise<{ job: ClusterJob; stop(): Promise<void> }> {
  const queue = backend.queue<object, HealthRollup>(QUEUES.healthRollup);
  const worker = await backend.worker<object, HealthRollup>(QUEUES.healthRollup, 1, async () => {
    const result = await runHealthRollup({ db, readSettings }).catch(failJob(logger, 'health-rollup'));
    onSetAside(result.setAside);
    return result;
  });
  const job: ClusterJob = {
    name: 'health-rollup',
    everyMs: EVERY_MS,
    schedule: () => queue.schedule('health-rollup', EVERY_MS, {}),
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
