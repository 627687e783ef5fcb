import { createHash } from 'node:crypto';
import { cleanText } from '../inventory.ts';
import { type Definition, INVENTORY_KINDS, type Inventory, type InventoryKind } from '../outcome.ts';
import { type Sliced, sortSliced } from '../slices.ts';
import { digestJson, HASH_SCHEME } from './canonical-json.ts';
import { estimateTokens } from './tokens.ts';

/** A definition as it is stored: once, whoever offers it. */
export interface StoredDefinition {
  hash: string;
  /** Canonical JSON; null when it is longer than what is kept: its hash tells it from others all the same. */
  body: string | null;
  bytes: number;
}

/** By kind: name (or uri) and the definition's hash, sorted by name; duplicates in the listing's order. */
export type SnapshotItems = Record<InventoryKind, [key: string, hash: string][]>;

/** What a server showed at one time, by content. */
export interface Listing {
  hash: string;
  /** What the server calls itself; null when it did not say. */
  serverName: string | null;
  items: SnapshotItems;
  definitions: ReadonlyMap<string, StoredDefinition>;
  /** Those whose text is not kept. */
  tooLarge: ReadonlySet<Definition>;
  tokens: number;
}

/** Longer than any definition that a model could use; what is longer is told apart by its hash, and not compared. */
export const MAX_BODY_BYTES = 128 * 1024;

/** No client calls a tool by such a name. */
const MAX_KEY_LENGTH = 500;

const KEY_MEMBERS: Record<InventoryKind, string> = {
  tools: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
  prompts: 'name',
};

/** The name that a definition goes by; empty when it has none. */
export function keyOf(kind: InventoryKind, definition: Definition): string {
  const key = definition[KEY_MEMBERS[kind]];
  if (typeof key !== 'string') return '';
  if (key.length <= MAX_KEY_LENGTH) return cleanText(key);
  // Two long names may begin alike.
  const digest = createHash('sha256').update(key).digest('base64url').slice(0, 12);
  return `${cleanText(key.slice(0, MAX_KEY_LENGTH))}…${digest}`;
}

const byKey = ([one]: [string, string], [other]: [string, string]): number =>
  one < other ? -1 : one > other ? 1 : 0;

/**
 * The identity of what a server shows, and every definition in it by its own: from the definitions as
 * sent, so that nothing a client would strip is lost. Neither the order of the listing nor that of members counts.
 */
export function* describeListing(inventory: Inventory, serverName: string | null): Sliced<Listing> {
  const items: SnapshotItems = { tools: [], resources: [], resourceTemplates: [], prompts: [] };
  const definitions = new Map<string, StoredDefinition>();
  const tooLarge = new Set<Definition>();
  const identity = createHash('sha256').update(`${JSON.stringify(serverName)}\n`);
  let tokens = 0;
  let listed = 0;
  for (const kind of INVENTORY_KINDS) {
    const unsorted: [string, string][] = [];
    for (const definition of inventory[kind]) {
      const digest = yield* digestJson(definition, MAX_BODY_BYTES);
      definitions.set(digest.hash, digest);
      if (digest.body === null) tooLarge.add(definition);
      tokens += estimateTokens(digest.bytes);
      unsorted.push([keyOf(kind, definition), digest.hash]);
      listed += 1;
      if (listed % 20 === 0) yield;
    }
    items[kind] = yield* sortSliced(unsorted, byKey);
    identity.update(`${kind}\n`);
    for (const [key, hash] of items[kind]) {
      identity.update(`${JSON.stringify(key)} ${hash}\n`);
      listed += 1;
      if (listed % 500 === 0) yield;
    }
  }
  return {
    hash: `${HASH_SCHEME}:${identity.digest('hex')}`,
    serverName,
    items,
    definitions,
    tooLarge,
    tokens,
  };
}

/**
 * What differs of a kind between the items of an earlier listing and this one, by whole names: of a name that
 * is there several times, the last one counts. null when names were shortened, so that rows cannot be told by them.
 */
export function* differenceOf(
  kind: 'tools' | 'prompts',
  before: SnapshotItems,
  { items }: Listing,
  inventory: Inventory,
): Sliced<{ definitions: Definition[]; gone: string[] } | null> {
  const hashesOf = function* (side: SnapshotItems): Sliced<Map<string, string>> {
    const found = new Map<string, string>();
    for (const [place, [key, hash]] of side[kind].entries()) {
      found.set(key, `${found.get(key) ?? ''} ${hash}`);
      if (place % 1_000 === 999) yield;
    }
    return found;
  };
  const [old, now] = [yield* hashesOf(before), yield* hashesOf(items)];
  const gone = [...old.keys()].filter((key) => !now.has(key));
  const changed = new Set([...now].filter(([key, hashes]) => old.get(key) !== hashes).map(([key]) => key));
  if ([...gone, ...changed].some((key) => key.length > MAX_KEY_LENGTH)) return null;
  yield;
  return { definitions: inventory[kind].filter((definition) => changed.has(keyOf(kind, definition))), gone };
}

/** Whether a kind is listed as it was. */
export function isSameKind(kind: InventoryKind, before: SnapshotItems, { items }: Listing): boolean {
  const [old, now] = [before[kind], items[kind]];
  return (
    old.length === now.length &&
    old.every(([key, hash], place) => now[place]?.[0] === key && now[place]?.[1] === hash)
  );
}
