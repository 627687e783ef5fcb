import { type Change, countGrades, worstFirst, worstGrade } from '../../core/drift/change.ts';
import { type DriftDecision, decideDrift } from '../../core/drift/decide-drift.ts';
import { diffInventories, type Side } from '../../core/drift/diff-inventories.ts';
import { findSuspiciousTexts } from '../../core/drift/find-suspicious.ts';
import { describeListing, type Listing, type SnapshotItems } from '../../core/drift/listing.ts';
import {
  addNames,
  emptyNameIndex,
  type KnownName,
  type NameIndex,
} from '../../core/drift/rules/lookalike-name.ts';
import type { ServerIdentity } from '../../core/drift/rules/server-renamed.ts';
import { cleanJson, cleanText, type InventoryRows, inventoryRows } from '../../core/inventory.ts';
import { INVENTORY_KINDS, type InventoryKind, type ProbeOutcome } from '../../core/outcome.ts';
import type { Database } from '../client.ts';
import { withoutParameters } from '../errors.ts';
import {
  type DriftMemory,
  openAlertsOf,
  readDriftMemory,
  readSnapshots,
  readToolNames,
  readUsage,
} from './drift.ts';
import { inSlices, takeTurns } from './in-slices.ts';
import { createKeptMap } from './kept-map.ts';
import { definitionOf, readItems, readSide } from './snapshot-side.ts';

/** What became of an inventory before its result is stored: everything that takes time is done by then. */
export interface PreparedInventory {
  /** null for a listing that failed in part: neither hash nor snapshot would say what is there. */
  hash: string | null;
  /** What is to be written; null when nothing changed. */
  write: InventoryWrite | null;
  /** Why it could not be found out; null when it could. */
  problem: string | null;
}

export interface InventoryWrite {
  /** The inventory_hash that this was prepared against: when it is another by then, nothing is written. */
  expectedHash: string | null;
  rows: InventoryRows;
  failed: ReadonlySet<InventoryKind>;
  /** null when the definitions are the same as at the last snapshot, or the listing is not whole. */
  snapshot: SnapshotWrite | null;
}

export interface SnapshotWrite {
  hash: string;
  serverName: string | null;
  /** JSON texts of an array of {hash, body, bytes}, in the order of the hashes. */
  definitions: string[];
  /** JSON text. */
  items: string;
  tokens: number;
  previousTokens: number | null;
  previousHash: string | null;
  identity: ServerIdentity;
  changes: string;
  counts: string;
  grade: string | null;
  keptBytes: number;
  tenantId: string | null;
  /** The pin that the decision was made with. */
  pinnedHash: string | null;
  decision: DriftDecision;
}

/** A hash for each listing that was seen lately, by what it was as bytes: a million characters or so. */
const MAX_KNOWN_LISTINGS = 20_000;
const MAX_NAME_INDEXES = 20;
/** Names that others store meanwhile are seen after this. */
const NAMES_AGE_MS = 30_000;
/** What is kept of the changes; all of them are counted. */
const MAX_KEPT_CHANGES = 200;
const MAX_CHUNK_LENGTH = 2 * 1024 * 1024;

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
  const indexes = createKeptMap<{ index: NameIndex; readAtMs: number }>(MAX_NAME_INDEXES);

  async function namesOf(tenantId: string | null): Promise<NameIndex> {
    const key = tenantId === null ? 'none' : `tenant ${tenantId}`;
    const entry = indexes.get(key);
    if (entry && performance.now() - entry.readAtMs < NAMES_AGE_MS) return entry.index;
    const index = emptyNameIndex();
    await inSlices(addNames(index, await readToolNames(db, tenantId)));
    indexes.set(key, { index, readAtMs: performance.now() });
    return index;
  }

  /** The server's own new tools, for those that come after it. */
  async function rememberNames(serverId: string, memory: DriftMemory, listing: Listing): Promise<void> {
    const added: KnownName[] = listing.items.tools
      .filter(([key]) => key !== '')
      .map(([name]) => ({ name, serverId, serverName: memory.name }));
    await inSlices(addNames(await namesOf(memory.tenantId), added));
  }

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
    const rows = await inSlices(inventoryRows(inventory, listing.tooLarge));
    const snapshot =
      listing.hash === memory.lastHash ? null : await prepareSnapshot(serverId, memory, listing, atMs);
    return { hash: listing.hash, write: { expectedHash, rows, failed, snapshot }, problem: null };
  }

  async function prepareSnapshot(
    serverId: string,
    memory: DriftMemory,
    listing: Listing,
    atMs: number,
  ): Promise<SnapshotWrite> {
    const identity: ServerIdentity = {
      name: listing.serverName,
      registeredName: memory.name,
      registeredVersion: memory.registeredVersion,
    };
    const after = sideOf(listing, identity);
    const wanted = [memory.lastHash, memory.pinnedHash].filter((hash) => hash !== null);
    const stored = await readSnapshots(db, [...new Set(wanted)]);
    const itemsOf = async (hash: string | null): Promise<SnapshotItems | null> => {
      const row = hash === null ? undefined : stored.get(hash);
      return row ? await readItems(row.items) : null;
    };
    const oldItems = await itemsOf(memory.lastHash);
    const before = oldItems && {
      ...(await readSide(db, oldItems, listing.items)),
      identity: memory.lastIdentity ?? identity,
    };
    const names = { names: await namesOf(memory.tenantId), serverId };
    await takeTurns();
    const changes = await inSlices(diffInventories(before, after, names));
    await takeTurns();
    const pin = await prepareHold(memory, listing, after, itemsOf);
    await rememberNames(serverId, memory, listing);
    const usage = await readUsage(db, serverId, toolsIn([...changes, ...(pin?.changes ?? [])]));
    const hashOf = lookUp(listing.items);
    const hashBefore = oldItems ? lookUp(oldItems) : () => null;
    // Each of these is some milliseconds' work where there are thousands of definitions.
    await takeTurns();
    const decision = decideDrift({
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
      open: openAlertsOf(memory),
      recentKeys: new Set(memory.alerts.map(({ key }) => key)),
      hashOf,
      hashBefore,
      isClean: cleanlinessOf(after, hashOf),
    });
    await takeTurns();
    const definitions = await inSlices(definitionChunks(listing));
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
    itemsOf: (hash: string | null) => Promise<SnapshotItems | null>,
  ): Promise<{ hash: string; changes: Change[] } | null> {
    const { pinnedHash } = memory;
    const items = await itemsOf(pinnedHash);
    if (pinnedHash === null || !items) return null;
    if (pinnedHash === listing.hash) return { hash: pinnedHash, changes: [] };
    const side = await readSide(db, items, listing.items);
    const held: Side = { ...side, identity: memory.lastIdentity ?? after.identity };
    return { hash: pinnedHash, changes: await inSlices(diffInventories(held, after, null)) };
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

function failedKinds(outcome: ProbeOutcome): Set<InventoryKind> {
  const failed = outcome.warnings.filter((warning) => warning.code === 'list_failed');
  return new Set(failed.flatMap(({ kind }) => (kind ? [kind] : [])));
}

function sideOf(listing: Listing, identity: ServerIdentity): Side {
  return {
    items: listing.items,
    identity,
    definitionOf: (hash) => definitionOf(listing.definitions.get(hash)?.body ?? undefined),
  };
}

function lookUp(items: SnapshotItems): (kind: string, key: string) => string | null {
  const maps = new Map(INVENTORY_KINDS.map((kind) => [kind as string, new Map(items[kind])]));
  return (kind, key) => maps.get(kind)?.get(key) ?? null;
}

/** More definitions are not looked at again for what they said once. */
const MAX_LOOKED_AT = 50;

/** Whether a definition is free of suspicious texts; of many, those beyond the bound count as not. */
function cleanlinessOf(
  side: Side,
  hashOf: (kind: string, key: string) => string | null,
): (kind: string, key: string) => boolean {
  let looked = 0;
  return (name, key) => {
    const kind = INVENTORY_KINDS.find((known) => known === name);
    const hash = hashOf(name, key);
    if (kind === undefined || hash === null || looked >= MAX_LOOKED_AT) return false;
    looked += 1;
    const definition = side.definitionOf(hash);
    return definition !== null && findSuspiciousTexts(kind, key, null, definition).length === 0;
  };
}

/** The tools whose calls are worth a question: those that an agent notices. */
function toolsIn(changes: readonly Change[]): string[] {
  const noticed = changes.filter(
    ({ kind, grade, code }) => kind === 'tools' && grade !== 'cosmetic' && code !== 'added',
  );
  return [...new Set(noticed.map(({ key }) => key))].slice(0, 1000);
}

/** In the order of the hashes, so that two that store the same definitions never wait for each other in a ring. */
function* definitionChunks({ definitions }: Listing): Generator<undefined, string[], undefined> {
  const chunks: string[] = [];
  let pending: string[] = [];
  let length = 0;
  for (const hash of [...definitions.keys()].sort()) {
    const stored = definitions.get(hash);
    if (!stored) continue;
    const json = JSON.stringify(stored);
    pending.push(json);
    length += json.length;
    if (length >= MAX_CHUNK_LENGTH) {
      chunks.push(`[${pending.join(',')}]`);
      pending = [];
      length = 0;
    }
    yield;
  }
  if (pending.length > 0) chunks.push(`[${pending.join(',')}]`);
  return chunks;
}

function newBytes({ definitions }: Listing, before: SnapshotItems | null): number {
  const known = new Set(
    before ? INVENTORY_KINDS.flatMap((kind) => before[kind].map(([, hash]) => hash)) : [],
  );
  let bytes = 0;
  for (const { hash, body } of definitions.values()) if (!known.has(hash)) bytes += body?.length ?? 0;
  return bytes;
}
