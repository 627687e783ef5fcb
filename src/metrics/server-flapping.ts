import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';
import { type LabelledRow, SERVER_LABELS } from './fleet-row.ts';

/** mcp_server_flapping: does its state change so often that its alerts are held? */
export function createServerFlapping(registry: Registry): (rows: readonly LabelledRow[]) => void {
  const gauge = new FleetGauge(
    registry,
    'mcp_server_flapping',
    'Whether the server goes up and down so often that its alerts are held: 1 while it does, otherwise 0.',
    SERVER_LABELS,
  );
  return (rows) => gauge.replace(rows.map(({ labels, flapping }) => ({ labels, value: flapping ? 1 : 0 })));
}
