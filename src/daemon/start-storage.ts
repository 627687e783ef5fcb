import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { runStorage, type StorageDeps, type StorageReport } from '../../jobs/storage.ts';
import type { Database } from '../db/client.ts';
import type { Metrics } from '../metrics/create-metrics.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { QUEUES } from '../queue/definitions.ts';
import { type RunningClusterJob, startClusterJob } from './start-cluster-job.ts';

/** An hour: partitions are made weeks ahead, and what is removed has been kept for days. */
const EVERY_MS = 3_600_000;

export interface StorageOptions extends Pick<StorageDeps, 'readSettings' | 'findUntaken'> {
  backend: QueueBackend;
  db: Database;
  sql: Sql;
  metrics: Pick<Metrics, 'setStorage' | 'countRemoved'>;
  logger: Logger;
  everyMs?: number;
}

/** The recurring job that looks after partitions and retention, once in the cluster. */
export async function startStorage(options: StorageOptions): Promise<RunningClusterJob> {
  const { backend, metrics, logger, everyMs = EVERY_MS } = options;
  const stopping = new AbortController();
  const run = async () => {
    const report = await runStorage({ ...options, signal: stopping.signal });
    tell(report, metrics, logger);
    return report;
  };
  const { job, stop } = await startClusterJob({
    backend,
    queue: QUEUES.storage,
    name: 'storage',
    everyMs,
    run,
    logger,
  });
  return {
    job,
    async stop() {
      stopping.abort();
      await stop();
    },
  };
}

function tell({ kept, removed }: StorageReport, metrics: StorageOptions['metrics'], logger: Logger): void {
  if (kept.length > 0) metrics.setStorage(kept);
  for (const { table, made, moved, defaultRows } of kept) {
    if (made.length > 0) logger.info({ table, made, moved }, 'partitions were made');
    if (defaultRows > 0)
      logger.warn(
        { table, rows: defaultRows },
        'rows of the future, or of long ago, are in the default partition',
      );
  }
  for (const { table, rows, partitions, more } of removed) {
    metrics.countRemoved(table, { rows, partitions });
    if (rows + partitions > 0)
      logger.info({ table, rows, partitions, more }, 'what was kept for long enough is removed');
  }
}
