import type { Registry } from 'prom-client';
import { INVENTORY_KINDS, type InventoryKind } from '../core/outcome.ts';
import { FleetGauge } from './fleet-gauge.ts';
import type { LabelledRow } from './fleet-row.ts';

const KIND_LABEL: Record<InventoryKind, string> = {
  tools: 'tools',
  resources: 'resources',
  resourceTemplates: 'resource_templates',
  prompts: 'prompts',
};

/** mcp_server_inventory_items: how many tools, resources, resource templates and prompts it offers. */
export function createInventoryItems(registry: Registry): (rows: readonly LabelledRow[]) => void {
  const gauge = new FleetGauge(
    registry,
    'mcp_server_inventory_items',
    'How many tools, resources, resource_templates and prompts the server offers.',
    ['server_id', 'kind'],
  );
  return (rows) =>
    gauge.replace(
      rows.flatMap(({ labels, inventory }) =>
        INVENTORY_KINDS.flatMap((kind) => {
          const value = inventory?.[kind];
          if (value === undefined) return [];
          return [{ labels: { server_id: labels.server_id, kind: KIND_LABEL[kind] }, value }];
        }),
      ),
    );
}
