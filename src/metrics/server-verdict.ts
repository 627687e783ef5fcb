import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';
import { type LabelledRow, SERVER_LABELS } from './fleet-row.ts';

/** mcp_server_verdict: one series for each server, labelled with what it is now. */
export function createServerVerdict(registry: Registry): (rows: readonly LabelledRow[]) => void {
  const gauge = new FleetGauge(
    registry,
    'mcp_server_verdict',
    'The current verdict on the server, as a label; the value is always 1.',
    [...SERVER_LABELS, 'verdict'],
  );
  return (rows) =>
    gauge.replace(rows.map(({ labels, verdict }) => ({ labels: { ...labels, verdict }, value: 1 })));
}
