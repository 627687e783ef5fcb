import type { Sql } from 'postgres';
import type { Refusal, SettingValues } from '../core/settings/known-settings.ts';
import { applySettings } from '../db/queries/settings.ts';

export interface SettingsReaderOptions {
  sql: Pick<Sql, 'unsafe'>;
  /** NODE_ENV: settings of another environment do not count. */
  environment: string;
  /** Told of a refusal once, and not by every run. */
  onRefused: (refusal: Refusal) => void;
}

/** Reads what is set in system_config, as each run of a job does. */
export function createSettingsReader({
  sql,
  environment,
  onRefused,
}: SettingsReaderOptions): () => Promise<SettingValues> {
  let told = new Set<string>();
  return async () => {
    const { values, refused } = await applySettings(sql, environment);
    const news = new Map(refused.map((refusal) => [JSON.stringify(refusal), refusal]));
    for (const [text, refusal] of news) if (!told.has(text)) onRefused(refusal);
    told = new Set(news.keys());
    return values;
  };
}
