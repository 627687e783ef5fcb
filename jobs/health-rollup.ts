import { keepOf } from '../src/core/history/tiers.ts';
import type { SettingValues } from '../src/core/settings/known-settings.ts';
import type { Database } from '../src/db/client.ts';
import { type HealthRollup, rollUpHealth } from '../src/db/queries/health-rollup.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';
import { addCounts, noneSetAside } from '../src/db/queries/set-aside.ts';

/** What a run may take before it lets the next one go on. */
const AT_MOST_MS = 30_000;

export interface HealthRollupJobDeps {
  db: Database;
  /** What is set now, read anew for each run. */
  readSettings: () => Promise<SettingValues>;
}

/** Takes the health checks that arrived into the tiers, as long as there are more of them. */
export async function runHealthRollup({ db, readSettings }: HealthRollupJobDeps): Promise<HealthRollup> {
  const startedAt = new Date();
  const keep = keepOf(await readSettings());
  const sum: HealthRollup = { rows: 0, setAside: noneSetAside(), more: true };
  while (sum.more && Date.now() - startedAt.getTime() < AT_MOST_MS) {
    const part = await rollUpHealth(db, keep);
    sum.rows += part?.rows ?? 0;
    sum.setAside = addCounts(sum.setAside, part?.setAside ?? noneSetAside());
    sum.more = part?.more ?? false;
  }
  await recordJobRun(db, 'health-rollup', startedAt, sum);
  return sum;
}
