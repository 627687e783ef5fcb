import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges that are named as if they were counters; the same figures stand in their labelled siblings. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** CPU, memory, file descriptors, garbage collection and event-loop delay of this process. */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}
