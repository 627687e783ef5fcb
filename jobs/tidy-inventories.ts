import type { Database } from '../src/db/client.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';
import { type Tidied, tidyInventories } from '../src/db/queries/tidy-inventories.ts';

/** Ends what is over by the clock alone, and deletes what no inventory needs any more. */
export async function runTidyInventories(db: Database): Promise<Tidied> {
  const startedAt = new Date();
  const tidied = await tidyInventories(db, startedAt.getTime());
  await recordJobRun(db, 'tidy-inventories', startedAt, { ...tidied });
  return tidied;
}
