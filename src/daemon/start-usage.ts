import type { Logger } from 'pino';
import { runRollUpUsage } from '../../jobs/roll-up-usage.ts';
import type { Policy } from '../core/policy.ts';
import type { SettingValues } from '../core/settings/known-settings.ts';
import type { Database } from '../db/client.ts';
import type { Metrics } from '../metrics/create-metrics.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { type RunningClusterJob, startClusterJob } from './start-cluster-job.ts';

const EVERY_MS = 30_000;

export interface UsageOptions {
  backend: QueueBackend;
  db: Database;
  metrics: Pick<Metrics, 'countUsage'>;
  policy: () => Policy;
  readSettings: () => Promise<SettingValues>;
  logger: Logger;
  everyMs?: number;
}

/** Has usage rolled up again and again, once in the whole cluster. */
export async function startUsage({
  backend,
  db,
  metrics,
  policy,
  readSettings,
  logger,
  everyMs = EVERY_MS,
}: UsageOptions): Promise<RunningClusterJob> {
  const run = () =>
    runRollUpUsage({
      db,
      policy: () => ({ objective: policy().slo.objective, latency: policy().latency }),
      readSettings,
      onTaken({ taken, setAside }) {
        metrics.countUsage('taken', taken);
        for (const [problem, rows] of Object.entries(setAside)) metrics.countUsage(problem, rows);
        if (Object.keys(setAside).length > 0) logger.warn({ setAside }, 'calls were not counted');
      },
    });
  return await startClusterJob({ backend, queue: QUEUES.usage, name: 'usage', everyMs, run, logger });
}
