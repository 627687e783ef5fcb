import { Counter, Gauge, type Registry } from 'prom-client';

export interface StoredTable {
  table: string;
  partitions: number;
  defaultRows: number;
}

/** mcp_storage_partitions, mcp_storage_default_rows and what retention removed: how the growing tables are kept. */
export function createStorage(registry: Registry): {
  set(tables: readonly StoredTable[]): void;
  countRemoved(table: string, removed: { rows: number; partitions: number }): void;
} {
  const registers = [registry];
  const labelNames = ['table'];
  const partitions = new Gauge({
    name: 'mcp_storage_partitions',
    help: 'Partitions of a table, the default one not counted, when the storage job ran here last.',
    labelNames,
    registers,
  });
  const defaultRows = new Gauge({
    name: 'mcp_storage_default_rows',
    help: 'Rows that no partition takes but the default one (counted to 100000), when the storage job ran here last.',
    labelNames,
    registers,
  });
  const rows = new Counter({
    name: 'mcp_storage_removed_rows_total',
    help: 'Rows that retention has deleted one by one.',
    labelNames,
    registers,
  });
  const dropped = new Counter({
    name: 'mcp_storage_removed_partitions_total',
    help: 'Partitions that retention has dropped.',
    labelNames,
    registers,
  });
  return {
    set(tables) {
      for (const { table, ...counts } of tables) {
        partitions.set({ table }, counts.partitions);
        defaultRows.set({ table }, counts.defaultRows);
      }
    },
    countRemoved(table, removed) {
      rows.inc({ table }, removed.rows);
      dropped.inc({ table }, removed.partitions);
    },
  };
}
