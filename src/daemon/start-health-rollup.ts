import type { Logger } from 'pino';
import { runHealthRollup } from '../../jobs/health-rollup.ts';
import type { SettingValues } from '../core/settings/known-settings.ts';
import type { Database } from '../db/client.ts';
import type { SetAsideCounts } from '../db/queries/set-aside.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { type RunningClusterJob, startClusterJob } from './start-cluster-job.ts';

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
}: HealthRollupDeps): Promise<RunningClusterJob> {
  const run = async () => {
    const result = await runHealthRollup({ db, readSettings });
    onSetAside(result.setAside);
    return result;
  };
  const [queue, name] = [QUEUES.healthRollup, 'health-rollup'];
  return await startClusterJob({ backend, queue, name, everyMs: EVERY_MS, run, logger });
}
