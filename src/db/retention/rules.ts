import type { SettingName, SettingValues } from '../../core/settings/known-settings.ts';

/** How long the rows of a table are kept. */
export interface RetentionRule {
  /** With its schema. */
  schema: 'public' | 'vitals';
  table: string;
  time: string;
  /** Rows that this (SQL) is true of go after `days`; without it, all do. */
  days: SettingName;
  /** What is kept longer: rows that this (SQL over the table) is true of. */
  longer?: { where: string; days: SettingName };
  /** The days (SQL over the table) of one row's tenant; null where the tenant says nothing that can be used. */
  tenantDays?: string;
}

export const RETENTION_RULES_OF_TABLES: readonly RetentionRule[] = [
  { schema: 'public', table: 'api_usage', time: 'requested_at', days: 'apiUsage' },
  {
    schema: 'public',
    table: 'mcp_server_health_check',
    time: 'checked_at',
    days: 'healthCheck',
    longer: { where: "status <> 'healthy'", days: 'healthFailure' },
  },
  {
    schema: 'public',
    table: 'audit_log',
    time: 'occurred_at',
    days: 'auditLog',
    tenantDays:
      '(SELECT t.audit_log_retention FROM tenant t WHERE t.id = tenant_id AND t.audit_log_retention BETWEEN 1 AND 36500)',
  },
  { schema: 'public', table: 'rate_limit_violation', time: 'violated_at', days: 'rateLimitViolation' },
  { schema: 'public', table: 'feature_flag_evaluation', time: 'evaluated_at', days: 'flagEvaluation' },
  { schema: 'vitals', table: 'health_minute', time: 'at', days: 'healthMinutes' },
  { schema: 'vitals', table: 'health_hour', time: 'at', days: 'healthHours' },
  { schema: 'vitals', table: 'health_shift', time: 'at', days: 'healthHours' },
  { schema: 'vitals', table: 'health_shift_week', time: 'at', days: 'healthHours' },
  { schema: 'vitals', table: 'health_day', time: 'at', days: 'healthDays' },
];

/** After so many days everything of the table is gone. */
export const longestDays = (rule: RetentionRule, days: SettingValues, longestTenant: number | null): number =>
  Math.max(days[rule.days], rule.longer ? days[rule.longer.days] : 0, longestTenant ?? 0);

/** After fewer days nothing of the table goes. */
export const shortestDays = (
  rule: RetentionRule,
  days: SettingValues,
  shortestTenant: number | null,
): number =>
  Math.min(days[rule.days], rule.longer ? days[rule.longer.days] : Infinity, shortestTenant ?? Infinity);
