import type { SettingName, SettingValues } from '../../core/settings/known-settings.ts';
import { DELETE_STATISTICS } from '../rollup/usage/store-delta.ts';

/** How long the rows of a table are kept. */
export interface RetentionRule {
  /** With its schema. */
  schema: 'public' | 'vitals';
  table: string;
  /** A timestamp, or a date. */
  time: string;
  /** The rows that this is about (SQL over the table); without it, all. */
  only?: string;
  /** They go after so many days: the most of these, and of `atLeastDays`. */
  days: readonly SettingName[];
  atLeastDays?: number;
  /** They go with all of their UTC month. */
  byMonth?: true;
  /** What is kept longer: rows that this (SQL over the table) is true of. */
  longer?: { where: string; days: SettingName };
  /** The days (SQL over the table) of one row's tenant; null where the tenant says nothing that can be used. */
  tenantDays?: string;
  /** A statement (SQL) that deletes what goes with the deleted rows `b`. */
  alongWith?: string;
}

const USAGE_EVENTS = `('usage.rollup', 'usage.set_aside', 'rollup.set_aside')`;
/** A quota of calls is told of once a month, others once and for all. */
const CALL_QUOTA = `(type = 'usage.quota' AND data->>'quota' = 'max_api_calls')`;

export const RETENTION_RULES_OF_TABLES: readonly RetentionRule[] = [
  { schema: 'public', table: 'api_usage', time: 'requested_at', days: ['apiUsage'] },
  {
    schema: 'public',
    table: 'mcp_server_health_check',
    time: 'checked_at',
    days: ['healthCheck'],
    longer: { where: "status <> 'healthy'", days: 'healthFailure' },
  },
  {
    schema: 'public',
    table: 'audit_log',
    time: 'occurred_at',
    days: ['auditLog'],
    tenantDays:
      '(SELECT t.audit_log_retention FROM tenant t WHERE t.id = tenant_id AND t.audit_log_retention BETWEEN 1 AND 36500)',
  },
  { schema: 'public', table: 'rate_limit_violation', time: 'violated_at', days: ['rateLimitViolation'] },
  { schema: 'public', table: 'feature_flag_evaluation', time: 'evaluated_at', days: ['flagEvaluation'] },
  { schema: 'vitals', table: 'health_minute', time: 'at', days: ['healthMinutes'] },
  { schema: 'vitals', table: 'health_hour', time: 'at', days: ['healthHours'] },
  { schema: 'vitals', table: 'health_shift', time: 'at', days: ['healthHours'] },
  { schema: 'vitals', table: 'health_shift_week', time: 'at', days: ['healthHours'] },
  { schema: 'vitals', table: 'health_day', time: 'at', days: ['healthDays'] },
  // The uptime of 30 days is read from it.
  { schema: 'vitals', table: 'uptime_day', time: 'day', days: ['healthHours'], atLeastDays: 32 },
  {
    schema: 'vitals',
    table: 'usage_bucket',
    time: 'period_start',
    only: "period = 'hour'",
    days: ['usageHours', 'apiUsage'],
    alongWith: DELETE_STATISTICS,
  },
  // Weeks and months are recomputed from their days: either all of a month is there, or nothing.
  ...['day', 'week', 'month'].map(
    (period): RetentionRule => ({
      schema: 'vitals',
      table: 'usage_bucket',
      time: 'period_start',
      only: `period = '${period}'`,
      days: ['usageDays', 'apiUsage'],
      byMonth: true,
      alongWith: DELETE_STATISTICS,
    }),
  ),
  { schema: 'vitals', table: 'usage_counted', time: 'day', days: ['apiUsage'], atLeastDays: 32 },
  { schema: 'vitals', table: 'usage_set_aside', time: 'found_at', days: ['usageEvents'] },
  {
    schema: 'public',
    table: 'system_event',
    time: 'occurred_at',
    only: `source = 'mcp-vitals' AND (type IN ${USAGE_EVENTS} OR ${CALL_QUOTA})`,
    days: ['usageEvents'],
    // A quota of this month is not to be told of again.
    atLeastDays: 32,
  },
  {
    schema: 'public',
    table: 'system_event',
    time: 'occurred_at',
    only: `source = 'mcp-vitals' AND status = 'resolved' AND type NOT IN ${USAGE_EVENTS}`,
    days: ['events'],
  },
  {
    schema: 'vitals',
    table: 'delivery',
    time: 'created_at',
    // While a window of maintenance lasts, what was told of it is not to be told again.
    only: `(sent_at IS NOT NULL OR failed_at IS NOT NULL) AND (once_key IS NULL OR NOT EXISTS (
      SELECT 1 FROM maintenance_window w WHERE w.id::text = split_part(once_key, ':', 2)
        AND w.status NOT IN ('completed', 'cancelled')))`,
    days: ['deliveries'],
  },
  {
    schema: 'vitals',
    table: 'outbox',
    time: 'done_at',
    only: 'NOT EXISTS (SELECT 1 FROM vitals.alert a WHERE a.id = outbox.alert_id AND a.resolved_at IS NULL)',
    days: ['deliveries'],
  },
  {
    schema: 'vitals',
    table: 'alert',
    time: 'resolved_at',
    // An incident stays as long as one of its servers' alerts, and all that somebody is still to be told of.
    only: `NOT EXISTS (SELECT 1 FROM vitals.alert m WHERE m.incident_id = alert.id)
      AND NOT EXISTS (SELECT 1 FROM vitals.outbox o WHERE o.alert_id = alert.id AND o.done_at IS NULL)`,
    days: ['alerts'],
  },
];

const ownDays = ({ days, atLeastDays = 0 }: RetentionRule, values: SettingValues): number =>
  Math.max(atLeastDays, ...days.map((name) => values[name]));

/** After how many days rows go: all of them, some of them, and those that nothing else is said of. */
export interface KeptDays {
  longest: number;
  shortest: number;
  own: number;
  longer: number | null;
}

export function daysOf(
  rule: RetentionRule,
  values: SettingValues,
  tenants: { shortest: number | null; longest: number | null },
): KeptDays {
  const own = ownDays(rule, values);
  const longer = rule.longer ? values[rule.longer.days] : null;
  return {
    own,
    longer,
    longest: Math.max(own, longer ?? 0, tenants.longest ?? 0),
    shortest: Math.min(own, longer ?? Infinity, tenants.shortest ?? Infinity),
  };
}
