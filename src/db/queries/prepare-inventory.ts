import { type Change, countGrades, worstFirst, worstGrade } from '../../core/drift/change.ts';
import { type DriftFacts, decideDrift } from '../../core/drift/decide-drift.ts';
import { diffInventories, type Side } from '../../core/drift/diff-inventories.ts';
import { describeListing, type Listing, type SnapshotItems } from '../../core/drift/listing.ts';
import type { ServerIdentity } from '../../core/drift/rules/server-renamed.ts';
import { cleanJson, cleanText, inventoryRows } from '../../core/inventory.ts';
import type { ProbeOutcome } from '../../core/outcome.ts';
import type { Database } from '../client.ts';
import { withoutParameters } from '../errors.ts';
import {
  type DriftMemory,
  openAlertsOf,
  readBodies,
  readDriftMemory,
  readSnapshots,
  readUsage,
} from './drift.ts';
import { inSlices, takeTurns } from './in-slices.ts';
import type { PreparedInventory, SnapshotWrite } from './inventory-write.ts';
import { createKeptMap } from './kept-map.ts';
import { createKnownNames } from './known-names.ts';
import {
  addedNames,
  cleanlinessOf,
  compatibilityOf,
  definitionChunks,
  failedKinds,
  lookUp,
  newBytes,
  rowsOf,
  sideOf,
  toolsIn,
} from './prepare-parts.ts';
import { readItems, readSide } from './snapshot-side.ts';

/** A hash for each listing that was seen lately, by what it was as bytes: a million characters or so. */
const MAX_KNOWN_LISTINGS = 20_000;
/** So many earlier definitions are looked at to see whether what broke works again. */
const MAX_EARLIER = 200;
/** What is kept of the changes; all of them are counted. */
const MAX_KEPT_CHANGES = 200;

export interface InventoryPreparer {
  /** null when the probe brought no inventory. Never rejects: an inventory must not cost the verdict. */
  prepare(probe: {
    serverId: string;
    outcome: ProbeOutcome;
    checkedAt: Date;
  }): Promise<PreparedInventory | null>;
  /** What was prepared is stored; null when it is not, and the database has to be asked next time. */
  settle(serverId: string, prepared: PreparedInventory | null): void;
}

/**
 * Finds out what an inventory's listing means before the result is stored. An inventory that did not
 * change costs a comparison of two hashes; one that did is hashed, compared and graded in slices, so that
 * one of megabytes holds up nobody. The run of the server is held meanwhile: nobody else stores for it.
 */
export function createInventoryPreparer(db: Database): InventoryPreparer {
  /** The hash of a listing by its digest as bytes, and of the server that showed it last. */
  const known = createKeptMap<string>(MAX_KNOWN_LISTINGS);
  /** What we stored last for a server, or found stored: the store checks it before it relies on it. */
  const believed = createKeptMap<string>(MAX_KNOWN_LISTINGS);
  const names = createKnownNames(db);

  async function prepare(
    serverId: string,
    outcome: ProbeOutcome,
    atMs: number,
  ): Promise<PreparedInventory | null> {
    const { inventory } = outcome;
    if (!inventory) return null;
    const failed = failedKinds(outcome);
    const serverName = outcome.serverInfo ? cleanText(outcome.serverInfo.name) : null;
    const digest =
      outcome.listingDigest && failed.size === 0 ? `${outcome.listingDigest} ${serverName ?? ''}` : null;
    const seen = digest === null ? undefined : known.get(digest);
    if (seen !== undefined && seen === believed.get(serverId))
      return { hash: seen, write: null, problem: null };
    const memory = await readDriftMemory(db, serverId);
    if (!memory) return null;
    const { inventoryHash: expectedHash } = memory;
    const listing = await inSlices(describeListing(inventory, serverName));
    if (failed.size > 0) {
      const rows = await inSlices(inventoryRows(inventory, listing.tooLarge));
      return { hash: null, write: { expectedHash, rows, failed, snapshot: null }, problem: null };
    }
    if (digest !== null) known.set(digest, listing.hash);
    if (listing.hash === expectedHash) return { hash: listing.hash, write: null, problem: null };
    const before = await itemsOf(memory.lastHash);
    const tablesAre = expectedHash !== null && expectedHash === memory.lastHash ? before : null;
    const rows = await rowsOf(inventory, listing, tablesAre);
    const isKnown = listing.hash === memory.lastHash;
    const snapshot = isKnown ? null : await prepareSnapshot({ serverId, memory, listing, before, atMs });
    return { hash: listing.hash, write: { expectedHash, rows, failed, snapshot }, problem: null };
  }

  async function itemsOf(hash: string | null): Promise<SnapshotItems | null> {
    const row = hash === null ? undefined : (await readSnapshots(db, [hash])).get(hash);
    return row ? await readItems(row.items) : null;
  }

  async function prepareSnapshot(found: {
    serverId: string;
    memory: DriftMemory;
    listing: Listing;
    before: SnapshotItems | null;
    atMs: number;
  }): Promise<SnapshotWrite> {
    const { serverId, memory, listing, before: oldItems, atMs } = found;
    const identity: ServerIdentity = {
      name: listing.serverName,
      registeredName: memory.name,
      registeredVersion: memory.registeredVersion,
    };
    const after = sideOf(listing, identity);
    const before = oldItems && {
      ...(await readSide(db, oldItems, listing.items)),
      identity: memory.lastIdentity ?? identity,
    };
    const added = addedNames(serverId, memory, listing, oldItems);
    const known = added.length > 0 ? { names: await names.of(memory.tenantId), serverId } : null;
    await takeTurns();
    const changes = await inSlices(diffInventories(before, after, known));
    await takeTurns();
    const pin = await prepareHold(memory, listing, after, known);
    if (added.length > 0) await names.add(memory.tenantId, added);
    const usage = await readUsage(db, serverId, toolsIn([...changes, ...(pin?.changes ?? [])]));
    const open = openAlertsOf(memory);
    const earlier = open.flatMap(({ about }) => about.flatMap(([, , hash]) => hash ?? []));
    const bodies = await readBodies(db, [...new Set(earlier)].slice(0, MAX_EARLIER));
    const hashOf = lookUp(listing.items);
    const hashBefore = oldItems ? lookUp(oldItems) : () => null;
    // Each of these is some milliseconds' work where there are thousands of definitions.
    await takeTurns();
    const facts: DriftFacts = {
      serverId,
      serverName: memory.name,
      tenantId: memory.tenantId,
      atMs,
      hash: listing.hash,
      previousHash: memory.lastHash,
      changes,
      usage,
      tokens: listing.tokens,
      previousTokens: memory.lastTokens,
      pin,
      open,
      isRepeated: memory.steps.some(([from, to]) => from === memory.lastHash && to === listing.hash),
      recentKeys: new Set(memory.alerts.map(({ key }) => key)),
      hashOf,
      hashBefore,
      isClean: cleanlinessOf(after, hashOf),
      works: compatibilityOf(after, hashOf, bodies),
    };
    const decision = await inSlices(decideDrift(facts));
    await takeTurns();
    const definitions = await inSlices(definitionChunks(listing, oldItems));
    const kept = worstFirst(changes)
      .slice(0, MAX_KEPT_CHANGES)
      .map((change) => ({ ...change, key: change.key.slice(0, 600), text: change.text.slice(0, 600) }));
    await takeTurns();
    const items = JSON.stringify(listing.items);
    await takeTurns();
    const changesJson = JSON.stringify(cleanJson(kept));
    return {
      hash: listing.hash,
      serverName: listing.serverName,
      definitions,
      items,
      tokens: listing.tokens,
      previousTokens: memory.lastTokens,
      previousHash: memory.lastHash,
      identity,
      changes: changesJson,
      counts: JSON.stringify(countGrades(changes)),
      grade: worstGrade(changes),
      keptBytes: items.length + changesJson.length + newBytes(listing, oldItems),
      tenantId: memory.tenantId,
      pinnedHash: memory.pinnedHash,
      decision,
    };
  }

  async function prepareHold(
    memory: DriftMemory,
    listing: Listing,
    after: Side,
    known: Parameters<typeof diffInventories>[2],
  ): Promise<{ hash: string; changes: Change[] } | null> {
    const { pinnedHash } = memory;
    const items = await itemsOf(pinnedHash);
    if (pinnedHash === null || !items) return null;
    if (pinnedHash === listing.hash) return { hash: pinnedHash, changes: [] };
    const side = await readSide(db, items, listing.items);
    const held: Side = { ...side, identity: memory.lastIdentity ?? after.identity };
    return { hash: pinnedHash, changes: await inSlices(diffInventories(held, after, known)) };
  }

  return {
    async prepare({ serverId, outcome, checkedAt }) {
      try {
        return await prepare(serverId, outcome, checkedAt.getTime());
      } catch (error) {
        return { hash: null, write: null, problem: withoutParameters(error).message };
      }
    },
    settle(serverId, prepared) {
      if (prepared?.hash) believed.set(serverId, prepared.hash);
      else believed.delete(serverId);
    },
  };
}
