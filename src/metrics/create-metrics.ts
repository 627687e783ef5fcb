import { Registry } from 'prom-client';
import type { SetAside } from '../core/history/judge-check.ts';
import type { SpareReason } from '../core/monitor/spare-probe.ts';
import { createAlertsFiring, type FiringCount } from './alerts-firing.ts';
import { registerBuildInfo } from './build-info.ts';
import { type CertificateExpiry, createCertificateExpiry } from './certificate-expiry.ts';
import { createChecksSetAside } from './checks-set-aside.ts';
import { createCredentials } from './credentials.ts';
import { createErrorBudget } from './error-budget.ts';
import { type FleetRow, labelRow } from './fleet-row.ts';
import { createHeartbeatGauge } from './heartbeat.ts';
import { createInventoryItems } from './inventory-items.ts';
import { createNotificationsTotal } from './notifications-total.ts';
import { createOutboxWaiting } from './outbox-waiting.ts';
import { createProbeDuration } from './probe-duration.ts';
import { createProbeJobs } from './probe-jobs.ts';
import type { ProbeRecord } from './probe-record.ts';
import { createProbesSkipped } from './probes-skipped.ts';
import { createProbesTotal } from './probes-total.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { createServerFlapping } from './server-flapping.ts';
import { createServerUp } from './server-up.ts';
import { createServerVerdict } from './server-verdict.ts';
import { createSessionsOpen } from './sessions-open.ts';
import { createStorage, type StoredTable } from './storage.ts';
import { createSweepLag } from './sweep-lag.ts';
import { createUsageLag, createUsageRows } from './usage.ts';

/** Everything that this process tells Prometheus. */
export interface Metrics {
  contentType: string;
  /** The exposition text. */
  render(): Promise<string>;
  /** Counts one finished probe: total, durations, sessions left behind. */
  recordProbe(probe: ProbeRecord): void;
  /** Counts one scheduled probe that was left out. */
  probesSkipped(reason: SpareReason): void;
  /** Counts health checks that history does not count. */
  countSetAside(counts: Readonly<Record<SetAside, number>>): void;
  /** Replaces the gauges of the whole fleet at once; servers that are not in `rows` disappear. */
  fleet: { set(rows: readonly FleetRow[]): void };
  /** How long the most overdue server had been due at the last sweep, in milliseconds. */
  setSweepLag(lagMs: number): void;
  /** Replaces the gauges of when certificates expire. */
  setCertificateExpiries(rows: readonly CertificateExpiry[]): void;
  /** How many registered servers keep their credentials sealed, and how many in plain text. */
  setCredentials(counts: { sealed: number; plain: number }): void;
  /** Replaces the counts of probe jobs by state. */
  setProbeJobs(counts: Readonly<Record<string, number>>): void;
  /** Replaces the counts of alerts that fire. */
  setAlertsFiring(rows: readonly FiringCount[]): void;
  /** Replaces the counts of what is still to be told. */
  setOutboxWaiting(waiting: { transitions: number; messages: number }): void;
  /** Counts one attempt at a message. */
  countNotification(channelType: string, result: string): void;
  /** Sets how the growing tables are kept. */
  setStorage(tables: readonly StoredTable[]): void;
  /** Counts what retention has removed of a table. */
  countRemoved(table: string, removed: { rows: number; partitions: number }): void;
  /** Counts rows of api_usage that were taken, or set aside for a problem. */
  countUsage(result: string, rows: number): void;
  /** How long ago the usage was whole, in milliseconds; null: not known. */
  setUsageLag(lagMs: number | null): void;
  /** Notes that a heartbeat was taken. */
  setHeartbeat(atMs: number): void;
}

/** A registry of its own, so that two daemons in one process do not meet. */
export function createMetrics({ version }: { version: string }): Metrics {
  const registry = new Registry();
  const perProbe = [createProbesTotal(registry), createProbeDuration(registry), createSessionsOpen(registry)];
  const perFleet = [
    createServerUp(registry),
    createServerVerdict(registry),
    createInventoryItems(registry),
    createServerFlapping(registry),
    createErrorBudget(registry),
  ];
  const probesSkipped = createProbesSkipped(registry);
  const setSweepLag = createSweepLag(registry);
  const setCertificateExpiries = createCertificateExpiry(registry);
  const setCredentials = createCredentials(registry);
  const setProbeJobs = createProbeJobs(registry);
  const storage = createStorage(registry);
  registerBuildInfo(registry, version);
  registerProcessMetrics(registry);
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    recordProbe(probe) {
      for (const record of perProbe) record(probe);
    },
    probesSkipped,
    countSetAside: createChecksSetAside(registry),
    fleet: {
      set(rows) {
        const labelled = rows.map(labelRow);
        for (const replace of perFleet) replace(labelled);
      },
    },
    setSweepLag,
    setCertificateExpiries,
    setCredentials,
    setProbeJobs,
    setAlertsFiring: createAlertsFiring(registry),
    setOutboxWaiting: createOutboxWaiting(registry),
    countNotification: createNotificationsTotal(registry),
    setStorage: storage.set,
    countRemoved: storage.countRemoved,
    countUsage: createUsageRows(registry),
    setUsageLag: createUsageLag(registry),
    setHeartbeat: createHeartbeatGauge(registry),
  };
}
