import { type Definition, INVENTORY_KINDS, type InventoryKind } from '../outcome.ts';
import type { Sliced } from '../slices.ts';
import { HASH_SCHEME } from './canonical-json.ts';
import type { Change } from './change.ts';
import { findSuspiciousTexts, suspicious } from './find-suspicious.ts';
import { gradeDefinition } from './grade-definition.ts';
import type { SnapshotItems } from './listing.ts';
import { findLookalikes, type NameIndex } from './rules/lookalike-name.ts';
import { findRenamed, isAnnounced, type ServerIdentity } from './rules/server-renamed.ts';
import { sameJson } from './same-json.ts';

/** What a server showed at one time. */
export interface Side {
  items: SnapshotItems;
  identity: ServerIdentity;
  /** A definition by its hash; null when it was too large to be kept. */
  definitionOf(hash: string): Definition | null;
}

const NOUNS: Record<InventoryKind, string> = {
  tools: 'tool',
  resources: 'resource',
  resourceTemplates: 'resource template',
  prompts: 'prompt',
};

/** Of names that are there several times the last one counts, as it does for clients. */
const effective = (items: readonly [string, string][]): Map<string, string> =>
  new Map(items.filter(([key]) => key !== ''));

/**
 * Every difference between two inventories of a server, graded; of a first inventory (`before` null) what
 * is suspicious in it. `known` are the tools of the tenant's servers.
 */
export function* diffInventories(
  before: Side | null,
  after: Side,
  known: { names: NameIndex; serverId: string } | null,
): Sliced<Change[]> {
  const changes: Change[] = before ? diffIdentity(before.identity, after.identity) : [];
  const newTools: string[] = [];
  for (const kind of INVENTORY_KINDS) {
    yield;
    const old = effective(before?.items[kind] ?? []);
    yield;
    const now = effective(after.items[kind]);
    yield;
    const [gone, come]: [string[], string[]] = [[], []];
    for (const [key, hash] of now) {
      const oldHash = old.get(key);
      if (oldHash === hash) continue;
      yield;
      const definition = after.definitionOf(hash);
      if (oldHash === undefined) {
        come.push(key);
        if (definition) changes.push(...(yield* findSuspiciousTexts(kind, key, null, definition)));
        continue;
      }
      const oldDefinition = before?.definitionOf(oldHash) ?? null;
      yield;
      changes.push(...(yield* diffDefinition(kind, key, [oldHash, oldDefinition], [hash, definition])));
    }
    for (const key of old.keys()) if (!now.has(key)) gone.push(key);
    if (kind === 'tools') newTools.push(...come);
    if (!before) continue;
    const renamed = yield* findRenames(before, after, { kind, old, now, gone, come });
    for (const key of gone) {
      const hint = renamed.get(key);
      const text = `is gone${hint === undefined ? '' : ` (\`${hint}\` is new and takes the same)`}`;
      changes.push({ grade: 'breaking', kind, key, code: 'removed', text });
    }
    for (const key of come) {
      changes.push({ grade: 'additive', kind, key, code: 'added', text: `is a new ${NOUNS[kind]}` });
    }
  }
  if (!known) return changes;
  for (const [key, finding] of yield* findLookalikes(newTools, known.names, known.serverId)) {
    changes.push(suspicious('tools', key, 'lookalike_name', finding));
  }
  return changes;
}

function diffIdentity(before: ServerIdentity, after: ServerIdentity): Change[] {
  const key = after.name ?? after.registeredName;
  const renamed = findRenamed(before, after);
  if (renamed) return [suspicious('server', key, 'server_renamed', renamed)];
  if (before.name === null || after.name === null || before.name === after.name) return [];
  if (!isAnnounced(before, after)) return [];
  const text = `calls itself this in place of ${before.name}, and its entry in the registry changed, too`;
  return [{ grade: 'cosmetic', kind: 'server', key, code: 'renamed', text }];
}

function* diffDefinition(
  kind: InventoryKind,
  key: string,
  [oldHash, before]: [string, Definition | null],
  [hash, after]: [string, Definition | null],
): Sliced<Change[]> {
  if (!before || !after) {
    const text = 'changed, and is too large to be compared';
    const found = after ? yield* findSuspiciousTexts(kind, key, null, after) : [];
    return [{ grade: 'breaking', kind, key, code: 'not_compared', text }, ...found];
  }
  const graded = yield* gradeDefinition(kind, before, after);
  const changes: Change[] = graded.map((change) => ({ ...change, kind, key }));
  yield;
  changes.push(...(yield* findSuspiciousTexts(kind, key, before, after)));
  // Hashes of two schemes differ for the same definition, which is no change.
  const sameScheme = [oldHash, hash].every((text) => text.startsWith(`${HASH_SCHEME}:`));
  if (changes.length === 0 && sameScheme && !sameJson(before, after)) {
    const text = 'is written in another way and takes the same';
    changes.push({ grade: 'cosmetic', kind, key, code: 'rewritten', text });
  }
  return changes;
}

/** More than this are not one server's renames. */
const MAX_RENAMES = 50;

/** What came and takes the same as something that is gone: a hint, by the name that is gone. */
function* findRenames(
  before: Side,
  after: Side,
  parts: {
    kind: InventoryKind;
    old: ReadonlyMap<string, string>;
    now: ReadonlyMap<string, string>;
    gone: readonly string[];
    come: readonly string[];
  },
): Sliced<Map<string, string>> {
  const renames = new Map<string, string>();
  const { kind, old, now, gone, come } = parts;
  if (kind !== 'tools' || gone.length > MAX_RENAMES || come.length > MAX_RENAMES) return renames;
  const free = new Set(come);
  for (const key of gone) {
    const definition = before.definitionOf(old.get(key) ?? '');
    for (const candidate of free) {
      yield;
      const successor = after.definitionOf(now.get(candidate) ?? '');
      // Half of all tools take nothing: that alone makes no rename.
      const says = definition?.description === successor?.description || hasProperties(definition);
      if (!definition || !successor || !says) continue;
      if (!sameJson(definition.inputSchema, successor.inputSchema)) continue;
      renames.set(key, candidate);
      free.delete(candidate);
      break;
    }
  }
  return renames;
}

function hasProperties(tool: Definition | null): boolean {
  const schema = tool?.inputSchema;
  const properties: unknown =
    typeof schema === 'object' && schema !== null ? Reflect.get(schema, 'properties') : undefined;
  return typeof properties === 'object' && properties !== null && Object.keys(properties).length > 1;
}
