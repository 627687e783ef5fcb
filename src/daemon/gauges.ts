import type { Database } from '../db/client.ts';
import { readAlertCounts } from '../db/queries/alert-counts.ts';
import { readCertificateExpiries } from '../db/queries/certificates.ts';
import { readFleet, readSweepLag } from '../db/queries/fleet.ts';
import { countCredentials } from '../db/queries/secrets.ts';
import { USAGE_ROLLUP } from '../db/rollup/usage/session.ts';
import { readWatermark } from '../db/rollup/watermark.ts';
import type { Metrics } from '../metrics/create-metrics.ts';
import type { JobQueue } from '../queue/backend.ts';
import { startPeriodic } from './periodic.ts';

export interface GaugeDeps {
  db: Database;
  metrics: Metrics;
  probeQueue: Pick<JobQueue<never, never>, 'counts'>;
  onError: (error: unknown) => void;
}

/** Reads the fleet's gauges once. */
export async function refreshGauges({ db, metrics, probeQueue }: Omit<GaugeDeps, 'onError'>): Promise<void> {
  const [fleet, lagSeconds, counts, alerts] = await Promise.all([
    readFleet(db),
    readSweepLag(db),
    probeQueue.counts(),
    readAlertCounts(db),
  ]);
  metrics.fleet.set(
    fleet.map((row) => ({
      serverId: row.id,
      server: row.name,
      tenant: row.tenantId ?? '',
      transport: row.transport,
      verdict: row.verdict ?? 'unknown',
      inventory: row.counts,
      flapping: row.flapping,
      errorBudgetLeft: row.errorBudgetLeft,
    })),
  );
  metrics.setSweepLag(lagSeconds * 1000);
  metrics.setCertificateExpiries(await readCertificateExpiries(db));
  metrics.setCredentials(await countCredentials(db));
  metrics.setProbeJobs(counts);
  metrics.setAlertsFiring(alerts.firing);
  metrics.setOutboxWaiting(alerts.waiting);
  const takenAtMs = (await readWatermark(db, USAGE_ROLLUP))?.takenAtMs ?? null;
  metrics.setUsageLag(takenAtMs === null ? null : Date.now() - takenAtMs);
}

/** Gauges older than this say nothing about the fleet any more. */
const STALE_AFTER_MS = 15_000;

/**
 * Every replica keeps its own gauges fresh: each five seconds, never two refreshes at once. While the
 * database does not answer, the lag grows, and what is known of the fleet is withdrawn rather than shown as if it were new.
 */
export function startGauges(deps: GaugeDeps): { stop: () => Promise<void> } {
  let refreshedAt = performance.now();
  return startPeriodic(
    'gauges',
    async () => {
      await refreshGauges(deps);
      refreshedAt = performance.now();
    },
    (error) => {
      const ageMs = performance.now() - refreshedAt;
      deps.metrics.setSweepLag(ageMs);
      if (ageMs > STALE_AFTER_MS) deps.metrics.fleet.set([]);
      deps.onError(error);
    },
  );
}
