import type { Database } from '../client.ts';
import { withoutParameters } from '../errors.ts';
import { storeInventory } from './inventory.ts';
import type { FinishedProbe, resultOf } from './result-row.ts';
import { storeSnapshot } from './store-drift.ts';

/** In place of a hash, where the tables say what a listing brought that failed in part. */
const PARTIAL = 'partial';

/**
 * An inventory that the database will not take must not cost the verdict: it is stored behind a
 * savepoint, and tried again at the next probe.
 */
export async function storeInventoryOf(
  tx: Pick<Database, 'transaction'>,
  result: { probe: FinishedProbe } & Pick<ReturnType<typeof resultOf>, 'row' | 'stored' | 'knownHash'>,
): Promise<void> {
  const { serverId, listing, checkedAt } = result.probe;
  if (!listing) return;
  const { write, problem } = listing;
  const expected = write ? write.expectedHash : listing.hash;
  try {
    if (problem !== null) throw new Error(problem);
    if (expected !== result.knownHash) throw new Error('another worker stored another inventory meanwhile');
    if (!write) return;
    await tx.transaction(async (savepoint) => {
      await storeInventory(savepoint, serverId, write.rows, write.failed);
      // What the tables say then is no snapshot's: the next whole listing is written in full.
      if (write.failed.size > 0) result.row.inventoryHash = PARTIAL;
      if (write.snapshot) await storeSnapshot(savepoint, serverId, checkedAt.getTime(), write.snapshot);
    });
  } catch (error) {
    result.row.inventoryHash = null;
    result.stored.inventoryProblem = withoutParameters(error).message;
  }
}
