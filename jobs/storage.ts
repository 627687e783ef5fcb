import type { Sql } from 'postgres';
import type { SettingValues } from '../src/core/settings/known-settings.ts';
import type { Database } from '../src/db/client.ts';
import { type KeptTable, keepPartitions } from '../src/db/partitions/keep-partitions.ts';
import { withStorageLock } from '../src/db/partitions/storage-lock.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';
import { RETENTION_RULES_OF_TABLES } from '../src/db/retention/rules.ts';
import { type Removed, runRetention } from '../src/db/retention/run-retention.ts';
import type { Untaken } from '../src/db/rollup/untaken.ts';

export interface StorageDeps {
  db: Database;
  sql: Sql;
  /** What is set now, read anew for each run. */
  readSettings: () => Promise<SettingValues>;
  /** What a rollup has not taken yet, and so may not be removed; null: nothing is held. */
  findUntaken: (table: string) => Promise<Untaken | null>;
  signal?: AbortSignal;
}

export interface StorageReport {
  /** Empty when somebody else was at work on the tables. */
  kept: KeptTable[];
  removed: Removed[];
}

/** Makes partitions ahead, empties the default ones, and removes what has been kept for long enough. */
export async function runStorage(deps: StorageDeps): Promise<StorageReport> {
  const startedAt = new Date();
  const nowMs = startedAt.getTime();
  const done = await withStorageLock(deps.sql, 0, async (session) => {
    const kept = await keepPartitions(session, nowMs);
    const removed = await runRetention(session, {
      days: await deps.readSettings(),
      rules: RETENTION_RULES_OF_TABLES,
      nowMs,
      findUntaken: deps.findUntaken,
      ...(deps.signal ? { signal: deps.signal } : {}),
    });
    return { kept, removed };
  });
  const report = done?.result ?? { kept: [], removed: [] };
  await recordJobRun(deps.db, 'storage', startedAt, done === null ? null : { ...report });
  return report;
}
