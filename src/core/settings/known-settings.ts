import { checkValue, type ValueRules } from './check-value.ts';

/** A whole number that may be changed while the worker runs: a row of system_config. */
export interface Setting {
  /** In system_config. */
  key: string;
  category: 'retention' | 'usage';
  unit: 'days' | 'hours';
  defaultValue: number;
  description: string;
  /** What its value always has to keep to; the stored validation_schema may ask for more. */
  rules: ValueRules;
}

const keep = (name: string, defaultValue: number, description: string): Setting => ({
  key: `vitals.retention.${name}_days`,
  category: 'retention',
  unit: 'days',
  defaultValue,
  description: `Days: ${description}`,
  rules: { type: 'integer', minimum: 1, maximum: 3650, required: true },
});

export const SETTINGS = {
  apiUsage: keep('api_usage', 35, 'how long single calls are kept; their sums are kept longer'),
  healthCheck: keep('health_check', 14, 'how long single checks of servers that were well are kept'),
  healthFailure: keep('health_check_failure', 90, 'how long single checks that failed are kept'),
  auditLog: keep('audit_log', 90, 'how long the audit log is kept where its tenant says nothing'),
  rateLimitViolation: keep('rate_limit_violation', 90, 'how long violations of rate limits are kept'),
  flagEvaluation: keep('feature_flag_evaluation', 30, 'how long evaluations of feature flags are kept'),
  healthMinutes: keep('health_minute', 2, 'how long health is kept minute by minute'),
  healthHours: keep('health_hour', 90, 'how long health is kept hour by hour'),
  healthDays: keep('health_day', 1095, 'how long health is kept day by day'),
  usageHours: keep('usage_hour', 90, 'how long usage is kept hour by hour, at least as long as its calls'),
  usageDays: keep('usage_day', 1095, 'how long usage is kept by day, week and month'),
  usageEvents: keep('usage_event', 90, 'how long events of usage and of what was set aside are kept'),
  alerts: keep('alert', 1095, 'how long alerts that are over are kept'),
  events: keep('event', 365, 'how long other events of the worker are kept that are over'),
  deliveries: keep('delivery', 30, 'how long messages are kept that were sent or given up'),
  usageGrace: {
    key: 'vitals.usage.grace_hours',
    category: 'usage',
    unit: 'hours',
    defaultValue: 48,
    description: 'Hours: how late a call may arrive and still be counted by itself',
    rules: { type: 'integer', minimum: 1, maximum: 720, required: true },
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
/** The numbers in force, by name, each in its unit. */
export type SettingValues = Readonly<Record<SettingName, number>>;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
export const DEFAULT_SETTINGS = Object.fromEntries(
  SETTING_NAMES.map((name) => [name, SETTINGS[name].defaultValue]),
) as SettingValues;

/** What is wrong with a value of a setting, by our rules and those stored with it; null when nothing is. */
export const checkSetting = (value: unknown, { rules }: Setting, stored: ValueRules | null): string | null =>
  checkValue(value, rules) ?? checkValue(value, stored ?? {});

/** What is stored of a setting; null where there is nothing, or nothing that is in force. */
export interface StoredSetting {
  value: unknown;
  rules: ValueRules | null;
}

export interface Refusal {
  key: string;
  /** What is wrong, in a sentence. */
  problem: string;
  /** The value that stays in force, as `35 days`. */
  kept: string;
}

/**
 * The values to keep to. A stored value that breaks our rules, or those stored with it, is refused: what was in
 * force before stays, and without anything before, the default.
 */
export function decideSettings(
  stored: (key: string) => StoredSetting | null,
  before: (key: string) => unknown,
): { values: SettingValues; refused: Refusal[] } {
  const refused: Refusal[] = [];
  const decide = (setting: Setting): number => {
    const { key, unit, defaultValue, rules } = setting;
    const found = stored(key);
    if (!found) return defaultValue;
    const problem = checkSetting(found.value, setting, found.rules);
    if (problem === null) return Number(found.value);
    const previous = before(key);
    const kept = checkValue(previous, rules) === null ? Number(previous) : defaultValue;
    refused.push({ key, problem, kept: `${kept} ${unit}` });
    return kept;
  };
  const values = Object.fromEntries(SETTING_NAMES.map((name) => [name, decide(SETTINGS[name])]));
  return { values: values as SettingValues, refused };
}
