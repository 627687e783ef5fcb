import { checkValue, type ValueRules } from '../settings/check-value.ts';

/** One number that says how long something is kept: a row of system_config, in days. */
export interface RetentionSetting {
  /** In system_config. */
  key: string;
  defaultDays: number;
  description: string;
}

const RULES: ValueRules = { type: 'integer', minimum: 1, maximum: 3650, required: true };

const setting = (name: string, defaultDays: number, description: string): RetentionSetting => ({
  key: `vitals.retention.${name}_days`,
  defaultDays,
  description: `Days: ${description}`,
});

export const RETENTION = {
  apiUsage: setting('api_usage', 35, 'how long single calls are kept; their sums are kept longer'),
  healthCheck: setting('health_check', 14, 'how long single checks of servers that were well are kept'),
  healthFailure: setting('health_check_failure', 90, 'how long single checks that failed are kept'),
  auditLog: setting('audit_log', 90, 'how long the audit log is kept where its tenant says nothing'),
  rateLimitViolation: setting('rate_limit_violation', 90, 'how long violations of rate limits are kept'),
  flagEvaluation: setting('feature_flag_evaluation', 30, 'how long evaluations of feature flags are kept'),
  healthMinutes: setting('health_minute', 2, 'how long health is kept minute by minute'),
  healthHours: setting('health_hour', 90, 'how long health is kept hour by hour'),
  healthDays: setting('health_day', 1095, 'how long health is kept day by day'),
} as const satisfies Record<string, RetentionSetting>;

export type RetentionName = keyof typeof RETENTION;
/** Days, by name. */
export type RetentionDays = Readonly<Record<RetentionName, number>>;

export const RETENTION_NAMES = Object.keys(RETENTION) as RetentionName[];
export const RETENTION_RULES = RULES;

/** What is stored of a setting; null where there is nothing, or nothing that is in force. */
export interface StoredSetting {
  value: unknown;
  rules: ValueRules | null;
}

export interface Refusal {
  key: string;
  /** What is wrong, in a sentence. */
  problem: string;
  /** The days that stay in force. */
  kept: number;
}

/**
 * The days to keep to. A stored value that breaks our rules, or those stored with it, is refused: what was in
 * force before stays, and without anything before, the default.
 */
export function decideRetention(
  stored: (key: string) => StoredSetting | null,
  before: (key: string) => unknown,
): { days: RetentionDays; refused: Refusal[] } {
  const refused: Refusal[] = [];
  const decide = (name: RetentionName): number => {
    const { key, defaultDays } = RETENTION[name];
    const found = stored(key);
    if (!found) return defaultDays;
    const problem = checkValue(found.value, RULES) ?? checkValue(found.value, found.rules ?? {});
    if (problem === null) return Number(found.value);
    const previous = before(key);
    const kept = checkValue(previous, RULES) === null ? Number(previous) : defaultDays;
    refused.push({ key, problem, kept });
    return kept;
  };
  const days = Object.fromEntries(RETENTION_NAMES.map((name) => [name, decide(name)]));
  return { days: days as RetentionDays, refused };
}
