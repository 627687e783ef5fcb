import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';

/** mcp_probe_jobs: the probe queue, by the state of its jobs. */
export function createProbeJobs(registry: Registry): (counts: Readonly<Record<string, number>>) => void {
  const gauge = new FleetGauge(registry, 'mcp_probe_jobs', 'Probe jobs in the queue, by state.', ['state']);
  return (counts) =>
    gauge.replace(Object.entries(counts).map(([state, value]) => ({ labels: { state }, value })));
}
