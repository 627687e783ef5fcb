import type { Database } from '../../client.ts';
import { indexArrivals, USAGE_SOURCE } from '../arrivals.ts';
import { takeWatermark, type Watermark } from '../watermark.ts';
import { prepareSession, USAGE_ROLLUP } from './session.ts';
import { NOTHING, type Taken } from './slice.ts';
import { type NewSlice, takeNew, type UsageRollupOptions } from './take-new.ts';
import { takeOlder } from './take-older.ts';

export interface UsageRollup extends Taken {
  /** Whether there is more of the backfill to do. */
  more: boolean;
}

/**
 * Takes the calls that arrived since the last run, in slices, and then a day of the backfill: each is one transaction
 * with the watermark, told of once it is stored. Returns their sum; null when another replica is at it.
 */
export async function rollUpUsage(
  db: Database,
  options: UsageRollupOptions,
  onTaken: (taken: Taken) => void = () => undefined,
): Promise<UsageRollup | null> {
  const all: Taken = { taken: 0, setAside: {} };
  const add = (one: Taken): void => {
    all.taken += one.taken;
    for (const [problem, n] of Object.entries(one.setAside))
      all.setAside[problem] = (all.setAside[problem] ?? 0) + n;
    onTaken(one);
  };
  if (!(await takeSlices(db, options, add))) return null;
  const older = await db.transaction(async (tx) => {
    await prepareSession(tx);
    const mark = await takeWatermark(tx, USAGE_ROLLUP);
    if (!mark || mark.moved || mark.backfillDone) return { ...NOTHING, more: false };
    return takeOlder(tx, mark, options.policy);
  });
  add(older);
  return { ...all, more: older.more };
}

/** New calls, slice by slice: while one is stored, the next one is folded on a connection of its own. */
async function takeSlices(
  db: Database,
  options: UsageRollupOptions,
  add: (taken: Taken) => void,
): Promise<boolean> {
  let slice: NewSlice | null = takeNew(db, options);
  let first = true;
  while (slice !== null) {
    const next: Watermark | null = await slice.next;
    const behind: NewSlice | null = next && takeNew(db, options, { next, turn: slice.turn });
    // Without the slice before it, the one behind finds the watermark elsewhere, and stores nothing.
    const taken = await slice.done.catch(async (error: unknown) => {
      await behind?.done.catch(() => null);
      throw error;
    });
    if (taken === 'moved') await indexArrivals(db, USAGE_SOURCE);
    else if (taken !== null) add(taken);
    else if (first) return false;
    first = false;
    slice = behind;
  }
  return true;
}
