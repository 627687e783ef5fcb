import type { Sql } from 'postgres';
import { checkValue, type ValueRules } from '../../core/settings/check-value.ts';
import {
  decideRetention,
  RETENTION,
  RETENTION_NAMES,
  RETENTION_RULES,
  type Refusal,
  type RetentionDays,
  type StoredSetting,
} from '../../core/storage/retention-settings.ts';

type Client = Pick<Sql, 'unsafe'>;

interface Row {
  key: string;
  value: unknown;
  rules: ValueRules | null;
  inForce: unknown;
}

const KEYS = RETENTION_NAMES.map((name) => RETENTION[name].key);

/** Puts the settings that system_config lacks there, with their defaults, descriptions and rules. */
async function addMissing(sql: Client): Promise<void> {
  const rows = RETENTION_NAMES.map((name) => RETENTION[name]);
  await sql.unsafe(
    `INSERT INTO system_config (id, key, category, value, value_type, description, validation_schema, last_modified_by, created_at, updated_at)
     SELECT gen_random_uuid(), r.key, 'retention', r."defaultDays"::text::json, 'number', r.description, $2::text::json, 'mcp-vitals', now(), now()
       FROM json_to_recordset($1::text::json) AS r(key text, "defaultDays" integer, description text)
     ON CONFLICT (key) DO NOTHING`,
    [JSON.stringify(rows), JSON.stringify(RETENTION_RULES)],
  );
}

/** The settings as system_config has them; a row that is switched off, or of another environment, is none. */
async function readRows(sql: Client, environment: string): Promise<Row[]> {
  return sql.unsafe<Row[]>(
    `SELECT k.key, s.value AS "inForce",
            coalesce(c.value::jsonb, 'null') AS value, c.validation_schema AS rules, c.key IS NOT NULL AS "isStored"
       FROM unnest($1::text[]) AS k(key)
       LEFT JOIN system_config c ON c.key = k.key AND c.is_active AND c.environment IN ('all', $2)
       LEFT JOIN vitals.setting s ON s.key = k.key
      ORDER BY k.key`,
    [KEYS, environment],
  );
}

/** How long everything is kept, as it is now; refused values are named, and what was in force before them stays. */
export async function applyRetentionSettings(
  sql: Client,
  environment: string,
): Promise<{ days: RetentionDays; refused: Refusal[] }> {
  await addMissing(sql);
  const rows = new Map((await readRows(sql, environment)).map((row) => [row.key, row]));
  const stored = (key: string): StoredSetting | null => {
    const row = rows.get(key);
    return row && 'isStored' in row && row.isStored === true ? { value: row.value, rules: row.rules } : null;
  };
  const decided = decideRetention(stored, (key) => rows.get(key)?.inForce);
  const inForce = RETENTION_NAMES.map((name) => ({ key: RETENTION[name].key, value: decided.days[name] }));
  await sql.unsafe(
    `INSERT INTO vitals.setting AS s (key, value, applied_at)
     SELECT r.key, r.value, now() FROM jsonb_to_recordset($1::text::jsonb) AS r(key text, value jsonb)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, applied_at = now() WHERE s.value <> excluded.value`,
    [JSON.stringify(inForce)],
  );
  return decided;
}

export interface SettingRow {
  key: string;
  value: unknown;
  /** What holds; another than the value where that was refused, or was not looked at yet. */
  inForce: unknown;
  description: string;
  /** What is wrong with the value; null when nothing is. */
  problem: string | null;
}

/** The settings for people. */
export async function listSettings(sql: Client, environment: string): Promise<SettingRow[]> {
  await addMissing(sql);
  const rows = await readRows(sql, environment);
  return rows.map(({ key, value, inForce, rules }) => ({
    key,
    value,
    inForce: inForce ?? null,
    description:
      RETENTION_NAMES.map((name) => RETENTION[name]).find((known) => known.key === key)?.description ?? '',
    problem: checkValue(value, RETENTION_RULES) ?? checkValue(value, rules ?? {}),
  }));
}

/** Stores a value that its rules allow; otherwise what is wrong with it, and nothing is changed. */
export async function setSetting(sql: Client, key: string, value: unknown): Promise<string | null> {
  if (!KEYS.includes(key)) return `there is no setting ${key}: mcp-vitals config list shows them`;
  await addMissing(sql);
  const [row] = await sql.unsafe<{ rules: ValueRules | null }[]>(
    'SELECT validation_schema AS rules FROM system_config WHERE key = $1',
    [key],
  );
  const problem = checkValue(value, RETENTION_RULES) ?? checkValue(value, row?.rules ?? {});
  if (problem !== null) return problem;
  await sql.unsafe(
    `UPDATE system_config SET value = $2::text::json, is_active = true, last_modified_by = 'mcp-vitals config', updated_at = now() WHERE key = $1`,
    [key, JSON.stringify(value)],
  );
  return null;
}
