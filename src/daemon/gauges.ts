import { schedule } from 'node-cron';
import type { Database } from '../db/client.ts';
import { readFleet, readSweepLag } from '../db/queries/fleet.ts';
import type { Metrics } from '../metrics/create-metrics.ts';
import type { JobQueue } from '../queue/backend.ts';

export interface GaugeDeps {
  db: Database;
  metrics: Metrics;
  probeQueue: Pick<JobQueue<never, never>, 'counts'>;
  onError: (error: unknown) => void;
}

/** Reads the fleet's gauges once. */
export async function refreshGauges({ db, metrics, probeQueue }: Omit<GaugeDeps, 'onError'>): Promise<void> {
  const [fleet, lagSeconds, counts] = await Promise.all([
    readFleet(db),
    readSweepLag(db),
    probeQueue.counts(),
  ]);
  metrics.fleet.set(
    fleet.map((row) => ({
      serverId: row.id,
      server: row.name,
      tenant: row.tenantId ?? '',
      transport: row.transport,
      verdict: row.verdict ?? 'unknown',
      inventory: row.counts,
    })),
  );
  metrics.setSweepLag(lagSeconds * 1000);
  metrics.setProbeJobs(counts);
}

/** Every replica keeps its own gauges fresh: each five seconds, never two refreshes at once. */
export function startGauges(deps: GaugeDeps): { stop: () => Promise<void> } {
  const task = schedule(
    '*/5 * * * * *',
    async () => {
      try {
        await refreshGauges(deps);
      } catch (error) {
        deps.onError(error);
      }
    },
    { noOverlap: true, name: 'gauges' },
  );
  return {
    async stop() {
      await task.destroy();
    },
  };
}
