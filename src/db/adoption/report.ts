import type { Finding } from './judge-difference.ts';

export interface TableReport {
  table: string;
  present: boolean;
  /** Empty when the table is as the contract has it. */
  findings: Finding[];
}

export interface AdoptionReport {
  /** The contract's 31 tables, by name. */
  tables: TableReport[];
  /** Tables in `public` that are not in the contract; they stay as they are. */
  extraTables: string[];
  /** How many migrations the gateway has recorded; null when it has no record. */
  gatewayMigrations: number | null;
  /** Why the worker could not run on it; empty when it can. */
  blocking: string[];
  /** Whether the baseline was marked as applied just now (false: it was before). */
  taken: boolean;
  /** The migrations of ours that were applied just now. */
  applied: string[];
}
