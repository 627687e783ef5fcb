import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';

export interface FiringCount {
  kind: string;
  severity: string;
  count: number;
}

/** mcp_alerts_firing: what is wrong now. */
export function createAlertsFiring(registry: Registry): (rows: readonly FiringCount[]) => void {
  const gauge = new FleetGauge(registry, 'mcp_alerts_firing', 'Alerts that fire, by kind and severity.', [
    'kind',
    'severity',
  ]);
  return (rows) =>
    gauge.replace(rows.map(({ kind, severity, count }) => ({ labels: { kind, severity }, value: count })));
}
