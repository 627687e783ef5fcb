import type { SettingValues } from '../src/core/settings/known-settings.ts';
import type { Database } from '../src/db/client.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';
import { rollUpUsage } from '../src/db/rollup/usage/roll-up-usage.ts';
import type { Taken } from '../src/db/rollup/usage/slice.ts';
import type { UsageRollupOptions } from '../src/db/rollup/usage/take-new.ts';

const HOUR_MS = 3_600_000;

export interface RollUpUsageDeps {
  db: Database;
  /** As it is now, like the settings. */
  policy: () => UsageRollupOptions['policy'];
  readSettings: () => Promise<SettingValues>;
  /** Told what each transaction took, once it is stored. */
  onTaken: (taken: Taken) => void;
}

/** Counts the real calls that arrived since the last run, and goes on with those from before the first one. */
export async function runRollUpUsage({
  db,
  policy,
  readSettings,
  onTaken,
}: RollUpUsageDeps): Promise<{ taken: number }> {
  const startedAt = new Date();
  let taken = 0;
  // What another replica holds is its to finish, and the next run's to go on with.
  for (let more = true; more; ) {
    const { usageGrace } = await readSettings();
    const result = await rollUpUsage(db, { policy: policy(), graceMs: usageGrace * HOUR_MS }, onTaken);
    taken += result?.taken ?? 0;
    more = result?.more ?? false;
  }
  await recordJobRun(db, 'usage', startedAt, { taken });
  return { taken };
}
