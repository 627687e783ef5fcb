import type { InventoryKind } from '../core/outcome.ts';
import type { Verdict } from '../core/reasons.ts';
import { toLabelValue } from './label-value.ts';

/** One server as it stands now. */
export interface FleetRow {
  serverId: string;
  /** Its name in the registry. */
  server: string;
  tenant: string;
  transport: string;
  verdict: Verdict;
  /** Its state changes so often that its alerts are held. */
  flapping?: boolean;
  /** Of its error budget, what is left; null or missing when it was never probed. */
  errorBudgetLeft?: number | null;
  /** How many of each kind it offers; null or missing when that was never seen. */
  inventory?: Partial<Record<InventoryKind, number>> | null;
}

export const SERVER_LABELS = ['server_id', 'server', 'tenant', 'transport'] as const;

/** A row with the labels that every gauge of one server shares. */
export interface LabelledRow extends FleetRow {
  labels: Record<(typeof SERVER_LABELS)[number], string>;
}

/** Makes the labels, once for all gauges. */
export function labelRow(row: FleetRow): LabelledRow {
  const labels = {
    server_id: toLabelValue(row.serverId),
    server: toLabelValue(row.server),
    tenant: toLabelValue(row.tenant),
    transport: toLabelValue(row.transport),
  };
  return { ...row, labels };
}
