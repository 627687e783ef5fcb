import type { Sql } from 'postgres';
import type { ValueRules } from '../../core/settings/check-value.ts';
import {
  checkSetting,
  decideSettings,
  type Refusal,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingValues,
  type StoredSetting,
} from '../../core/settings/known-settings.ts';

type Client = Pick<Sql, 'unsafe'>;

interface Row {
  key: string;
  isStored: boolean;
  value: unknown;
  rules: ValueRules | null;
  inForce: unknown;
}

const ALL: readonly Setting[] = SETTING_NAMES.map((name) => SETTINGS[name]);
const BY_KEY = new Map(ALL.map((setting) => [setting.key, setting]));

/** Puts the settings that system_config lacks there, with their defaults, descriptions and rules. */
async function addMissing(sql: Client): Promise<void> {
  await sql.unsafe(
    `INSERT INTO system_config (id, key, category, value, value_type, description, validation_schema, last_modified_by, created_at, updated_at)
     SELECT gen_random_uuid(), r.key, r.category, r."defaultValue"::text::json, 'number', r.description, r.rules, 'mcp-vitals', now(), now()
       FROM json_to_recordset($1::text::json) AS r(key text, category text, "defaultValue" integer, description text, rules json)
     ON CONFLICT (key) DO NOTHING`,
    [JSON.stringify(ALL)],
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
    [[...BY_KEY.keys()], environment],
  );
}

/** What is set, as it is now; refused values are named, and what was in force before them stays. */
export async function applySettings(
  sql: Client,
  environment: string,
): Promise<{ values: SettingValues; refused: Refusal[] }> {
  await addMissing(sql);
  const rows = new Map((await readRows(sql, environment)).map((row) => [row.key, row]));
  const stored = (key: string): StoredSetting | null => {
    const row = rows.get(key);
    return row?.isStored ? { value: row.value, rules: row.rules } : null;
  };
  const decided = decideSettings(stored, (key) => rows.get(key)?.inForce);
  const changed = SETTING_NAMES.map((name) => ({
    key: SETTINGS[name].key,
    value: decided.values[name],
  })).filter(({ key, value }) => rows.get(key)?.inForce !== value);
  // Runs of every few seconds read them: only a change is written.
  if (changed.length > 0)
    await sql.unsafe(
      `INSERT INTO vitals.setting (key, value, applied_at)
       SELECT r.key, r.value, now() FROM jsonb_to_recordset($1::text::jsonb) AS r(key text, value jsonb)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, applied_at = now()`,
      [JSON.stringify(changed)],
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
  return rows.flatMap(({ key, value, inForce, rules }) => {
    const setting = BY_KEY.get(key);
    if (!setting) return [];
    const problem = checkSetting(value, setting, rules);
    return [{ key, value, inForce: inForce ?? null, description: setting.description, problem }];
  });
}

/** Stores a value that its rules allow; otherwise what is wrong with it, and nothing is changed. */
export async function setSetting(sql: Client, key: string, value: unknown): Promise<string | null> {
  const setting = BY_KEY.get(key);
  if (!setting) return `there is no setting ${key}: mcp-vitals config list shows them`;
  await addMissing(sql);
  const [row] = await sql.unsafe<{ rules: ValueRules | null }[]>(
    'SELECT validation_schema AS rules FROM system_config WHERE key = $1',
    [key],
  );
  const problem = checkSetting(value, setting, row?.rules ?? null);
  if (problem !== null) return problem;
  await sql.unsafe(
    `UPDATE system_config SET value = $2::text::json, is_active = true, last_modified_by = 'mcp-vitals config', updated_at = now() WHERE key = $1`,
    [key, JSON.stringify(value)],
  );
  return null;
}
