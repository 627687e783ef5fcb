import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';
import { type LabelledRow, SERVER_LABELS } from './fleet-row.ts';

/** mcp_server_error_budget_left_ratio: what its objective still allows. */
export function createErrorBudget(registry: Registry): (rows: readonly LabelledRow[]) => void {
  const gauge = new FleetGauge(
    registry,
    'mcp_server_error_budget_left_ratio',
    'The share of the server’s error budget that is left: 1 is all of it, below 0 it is overdrawn.',
    SERVER_LABELS,
  );
  return (rows) =>
    gauge.replace(
      rows.flatMap(({ labels, errorBudgetLeft }) =>
        typeof errorBudgetLeft === 'number' ? [{ labels, value: errorBudgetLeft }] : [],
      ),
    );
}
