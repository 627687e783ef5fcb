import type { Side } from '../../core/drift/diff-inventories.ts';
import type { SnapshotItems } from '../../core/drift/listing.ts';
import { parseInSlices } from '../../core/json/parse-in-slices.ts';
import { type Definition, INVENTORY_KINDS, type InventoryKind } from '../../core/outcome.ts';
import type { Database } from '../client.ts';
import { readBodies } from './drift.ts';
import { inSlices, takeTurns } from './in-slices.ts';

/** A stored inventory, with those of its definitions that the other one has not. */
export async function readSide(
  db: Pick<Database, 'execute'>,
  items: SnapshotItems,
  other: SnapshotItems,
): Promise<Omit<Side, 'identity'>> {
  const hashesIn = (side: SnapshotItems) =>
    INVENTORY_KINDS.flatMap((kind) => side[kind].map(([, hash]) => hash));
  const shared = new Set(hashesIn(other));
  const wanted = new Set(hashesIn(items).filter((hash) => !shared.has(hash)));
  await takeTurns();
  const bodies = await readBodies(db, [...wanted]);
  return { items, definitionOf: (hash) => definitionOf(bodies.get(hash)) };
}

/** The text is ours, canonical and bounded. */
export function definitionOf(body: string | undefined): Definition | null {
  return body === undefined ? null : (JSON.parse(body) as Definition);
}

/** Items as they were stored; what is not of their shape was not stored by us, and counts as nothing. */
export async function readItems(json: string): Promise<SnapshotItems> {
  const value = await inSlices(parseInSlices(json));
  const listOf = (kind: InventoryKind): [string, string][] => {
    const list: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, kind) : [];
    if (!Array.isArray(list)) return [];
    return list.filter(
      (item): item is [string, string] =>
        Array.isArray(item) && typeof item[0] === 'string' && typeof item[1] === 'string',
    );
  };
  return {
    tools: listOf('tools'),
    resources: listOf('resources'),
    resourceTemplates: listOf('resourceTemplates'),
    prompts: listOf('prompts'),
  };
}
