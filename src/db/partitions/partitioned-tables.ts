import type { Every } from '../../core/storage/periods.ts';

/**
 * Partitions live in a schema of their own: in `public` a gateway's tools would take them for tables that
 * nobody knows, and `vitals` may be dropped without a row of the gateway's being lost.
 */
export const PARTITION_SCHEMA = 'vitals_partitions';

export interface PartitionedTable {
  /** In `public`. */
  table: string;
  /** The column that says which partition a row belongs to. */
  time: string;
  every: Every;
}

/**
 * The tables that grow with time. Weeks where rows come with each call or probe and are kept for weeks, so
 * that little more is kept than was asked for; months where they are kept for months.
 */
export const PARTITIONED_TABLES: readonly PartitionedTable[] = [
  { table: 'api_usage', time: 'requested_at', every: 'week' },
  { table: 'mcp_server_health_check', time: 'checked_at', every: 'week' },
  { table: 'audit_log', time: 'occurred_at', every: 'month' },
  { table: 'rate_limit_violation', time: 'violated_at', every: 'month' },
  { table: 'feature_flag_evaluation', time: 'evaluated_at', every: 'month' },
];

/** Partitions beyond the one of today: a daemon may be away for that long before rows go to the default one. */
export const AHEAD: Readonly<Record<Every, number>> = { week: 2, month: 1 };
