import { Gauge, type Registry } from 'prom-client';

/** mcp_sweep_lag_seconds: how late the most overdue server was at the last sweep. */
export function createSweepLag(registry: Registry): (lagMs: number) => void {
  const gauge = new Gauge({
    name: 'mcp_sweep_lag_seconds',
    help: 'How long the most overdue server had been due when the last sweep looked.',
    registers: [registry],
  });
  return (lagMs) => gauge.set(lagMs / 1000);
}
