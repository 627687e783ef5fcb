import type { Change } from '../../core/drift/change.ts';
import type { Side } from '../../core/drift/diff-inventories.ts';
import { findSuspiciousTexts } from '../../core/drift/find-suspicious.ts';
import { gradeDefinition } from '../../core/drift/grade-definition.ts';
import { differenceOf, isSameKind, type Listing, type SnapshotItems } from '../../core/drift/listing.ts';
import type { KnownName } from '../../core/drift/rules/lookalike-name.ts';
import type { ServerIdentity } from '../../core/drift/rules/server-renamed.ts';
import { type InventoryRows, inventoryRows } from '../../core/inventory.ts';
import { jsonArrays } from '../../core/json/array-chunks.ts';
import {
  INVENTORY_KINDS,
  type Inventory,
  type InventoryKind,
  type ProbeOutcome,
} from '../../core/outcome.ts';
import type { Sliced } from '../../core/slices.ts';
import type { DriftMemory } from './drift.ts';
import { inSlices } from './in-slices.ts';
import { definitionOf } from './snapshot-side.ts';

export function failedKinds(outcome: ProbeOutcome): Set<InventoryKind> {
  const failed = outcome.warnings.filter((warning) => warning.code === 'list_failed');
  return new Set(failed.flatMap(({ kind }) => (kind ? [kind] : [])));
}

export function sideOf(listing: Listing, identity: ServerIdentity): Side {
  return {
    items: listing.items,
    identity,
    definitionOf: (hash) => definitionOf(listing.definitions.get(hash)?.body ?? undefined),
  };
}

export function lookUp(items: SnapshotItems): (kind: string, key: string) => string | null {
  const maps = new Map(INVENTORY_KINDS.map((kind) => [kind as string, new Map(items[kind])]));
  return (kind, key) => maps.get(kind)?.get(key) ?? null;
}

/** More definitions are not looked at again for what they said once. */
const MAX_LOOKED_AT = 20;
const MAX_LOOKED_AT_LENGTH = 16 * 1024;

/** Whether a definition is free of suspicious texts; of many, those beyond the bound count as not. */
export function cleanlinessOf(
  side: Side,
  hashOf: (kind: string, key: string) => string | null,
): (kind: string, key: string) => Sliced<boolean> {
  let looked = 0;
  return function* (name, key) {
    const kind = INVENTORY_KINDS.find((known) => known === name);
    const hash = hashOf(name, key);
    if (kind !== undefined && hash === null) return true;
    if (kind === undefined || hash === null || looked >= MAX_LOOKED_AT) return false;
    looked += 1;
    const definition = side.definitionOf(hash);
    return definition !== null && (yield* findSuspiciousTexts(kind, key, null, definition)).length === 0;
  };
}

/**
 * Whether what worked with a definition of an earlier inventory works with this one's; of many, those
 * beyond the bound count as not.
 */
export function compatibilityOf(
  side: Side,
  hashOf: (kind: string, key: string) => string | null,
  earlier: ReadonlyMap<string, string>,
): (kind: string, key: string, hashBefore: string | null) => Sliced<boolean> {
  let looked = 0;
  return function* (name, key, hashBefore) {
    const kind = INVENTORY_KINDS.find((known) => known === name);
    const hash = hashOf(name, key);
    if (kind === undefined || hash === null || hashBefore === null || looked >= MAX_LOOKED_AT) return false;
    looked += 1;
    const body = earlier.get(hashBefore);
    if (body !== undefined && body.length > MAX_LOOKED_AT_LENGTH) return false;
    const before = definitionOf(body);
    const after = side.definitionOf(hash);
    if (!before || !after) return false;
    const changes = yield* gradeDefinition(kind, before, after);
    return changes.every(({ grade }) => grade !== 'breaking');
  };
}

/** The tools whose calls are worth a question: those that an agent notices. */
export function toolsIn(changes: readonly Change[]): string[] {
  const noticed = changes.filter(
    ({ kind, grade, code }) => kind === 'tools' && grade !== 'cosmetic' && code !== 'added',
  );
  return [...new Set(noticed.map(({ key }) => key))].slice(0, 1000);
}

export function addedNames(
  serverId: string,
  memory: DriftMemory,
  { items }: Listing,
  before: SnapshotItems | null,
): KnownName[] {
  const known = new Set(before?.tools.map(([key]) => key));
  return items.tools
    .filter(([key]) => key !== '' && !known.has(key))
    .map(([name]) => ({ name, serverId, serverName: memory.name }));
}

/** The rows to be written: where the tables are what an earlier listing said, only what differs from it. */
export async function rowsOf(
  inventory: Inventory,
  listing: Listing,
  before: SnapshotItems | null,
): Promise<InventoryRows> {
  if (!before) return await inSlices(inventoryRows(inventory, listing.tooLarge));
  const tools = await inSlices(differenceOf('tools', before, listing, inventory));
  const prompts = await inSlices(differenceOf('prompts', before, listing, inventory));
  const sameResources =
    isSameKind('resources', before, listing) && isSameKind('resourceTemplates', before, listing);
  return await inSlices(
    inventoryRows(inventory, listing.tooLarge, {
      ...(tools ? { tools } : {}),
      ...(prompts ? { prompts } : {}),
      ...(sameResources ? { resources: 'none' as const } : {}),
    }),
  );
}

/** In the order of the hashes, so that two that store the same definitions never wait for each other in a ring. */
export function* definitionChunks({ definitions }: Listing, before: SnapshotItems | null): Sliced<string[]> {
  // Those of the inventory before are stored, and stay so as long as it does.
  const known = hashesIn(before);
  const fresh = [...definitions.keys()].sort().filter((hash) => !known.has(hash));
  return yield* jsonArrays(fresh.map((hash) => definitions.get(hash)));
}

const hashesIn = (items: SnapshotItems | null): Set<string> =>
  new Set(items ? INVENTORY_KINDS.flatMap((kind) => items[kind].map(([, hash]) => hash)) : []);

export function newBytes({ definitions }: Listing, before: SnapshotItems | null): number {
  const known = hashesIn(before);
  let bytes = 0;
  for (const { hash, body } of definitions.values()) if (!known.has(hash)) bytes += body?.length ?? 0;
  return bytes;
}
