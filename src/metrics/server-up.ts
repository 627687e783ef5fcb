import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';
import { type LabelledRow, SERVER_LABELS } from './fleet-row.ts';

/** mcp_server_up: can it be used now? */
export function createServerUp(registry: Registry): (rows: readonly LabelledRow[]) => void {
  const gauge = new FleetGauge(
    registry,
    'mcp_server_up',
    'Whether the server can be used: 1 when its verdict is up or degraded, otherwise 0.',
    SERVER_LABELS,
  );
  return (rows) =>
    gauge.replace(
      rows.map(({ labels, verdict }) => ({
        labels,
        value: verdict === 'up' || verdict === 'degraded' ? 1 : 0,
      })),
    );
}
