import type { Change } from '../core/drift/change.ts';
import { diffInventories } from '../core/drift/diff-inventories.ts';
import { runAtOnce } from '../core/slices.ts';
import type { Database } from '../db/client.ts';
import { readSnapshots } from '../db/queries/drift.ts';
import { readItems, readSide } from '../db/queries/snapshot-side.ts';
import { type ChangeRow, readChangesByHash } from '../db/queries/timeline.ts';

/** The snapshot of a server that the hash, or the beginning of it, names. */
export async function findByHash(db: Database, serverId: string, hash: string): Promise<ChangeRow> {
  const [row, another] = await readChangesByHash(db, serverId, hash);
  if (!row) throw new Error(`the server had no inventory ${hash}`);
  if (another) throw new Error(`more than one inventory begins with ${hash}`);
  return row;
}

/** Compares two stored inventories of one server. */
export async function compareChanges(db: Database, before: ChangeRow, after: ChangeRow): Promise<Change[]> {
  if (before.hash === after.hash) return [];
  const stored = await readSnapshots(db, [before.hash, after.hash]);
  const [one, other] = [stored.get(before.hash), stored.get(after.hash)];
  if (!one || !other) throw new Error('one of the inventories is not kept any more');
  const [oldItems, newItems] = [await readItems(one.items), await readItems(other.items)];
  const [oldSide, newSide] = [await readSide(db, oldItems, newItems), await readSide(db, newItems, oldItems)];
  return runAtOnce(
    diffInventories(
      { ...oldSide, identity: before.identity },
      { ...newSide, identity: after.identity },
      null,
    ),
  );
}
