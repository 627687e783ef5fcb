import { Counter, Gauge, type Registry } from 'prom-client';

/** mcp_usage_rows_total: calls that were counted, and those that were not, by why. */
export function createUsageRows(registry: Registry): (result: string, rows: number) => void {
  const counter = new Counter({
    name: 'mcp_usage_rows_total',
    help: 'Rows of api_usage that this process took, or set aside for the named problem.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of ['taken', 'late']) counter.inc({ result }, 0);
  return (result, rows) => counter.inc({ result }, rows);
}

/** mcp_usage_lag_seconds: how old the newest state is of which nothing is missing in the usage. */
export function createUsageLag(registry: Registry): (lagMs: number | null) => void {
  const gauge = new Gauge({
    name: 'mcp_usage_lag_seconds',
    help: 'Time since the moment up to which every arrived call is counted.',
    registers: [registry],
  });
  return (lagMs) => (lagMs === null ? gauge.reset() : gauge.set(Math.max(0, lagMs) / 1000));
}
