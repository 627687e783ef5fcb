import type { Inventory } from '../core/outcome.ts';
import { INVENTORY_KINDS } from '../core/outcome.ts';
import type { Sliced } from '../core/slices.ts';

/** Deeper than this nothing is stored, and nobody could read it. */
const MAX_DEPTH = 200;
/** Texts and values that are looked at before others have their turn. */
const SLICE = 50;

/** Takes secrets out of a text; gives the text itself back when there is none in it. */
export type Hide = (text: string) => Sliced<string>;

/** A JSON value without secrets, in texts and in names; the value itself when there are none in it. */
export function* scrubValue(value: unknown, hide: Hide, depth = 0): Sliced<unknown> {
  if (typeof value === 'string') return yield* hide(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return null;
  return yield* Array.isArray(value) ? scrubItems(value, hide, depth) : scrubMembers(value, hide, depth);
}

/** Copied from the first change on alone: most have none, and a copy of a listing is as much as the listing. */
function* scrubItems(items: unknown[], hide: Hide, depth: number): Sliced<unknown[]> {
  let copy: unknown[] | null = null;
  for (const [place, item] of items.entries()) {
    if (place % SLICE === SLICE - 1) yield;
    const clean = yield* scrubValue(item, hide, depth + 1);
    if (clean !== item) copy ??= items.slice(0, place);
    copy?.push(clean);
  }
  return copy ?? items;
}

function* scrubMembers(value: object, hide: Hide, depth: number): Sliced<object> {
  const names = Object.keys(value);
  let copy: [string, unknown][] | null = null;
  for (const [place, name] of names.entries()) {
    if (place % SLICE === SLICE - 1) yield;
    const item: unknown = Reflect.get(value, name);
    const clean: [string, unknown] = [yield* hide(name), yield* scrubValue(item, hide, depth + 1)];
    if (clean[0] !== name || clean[1] !== item)
      copy ??= names.slice(0, place).map((before) => [before, Reflect.get(value, before)]);
    copy?.push(clean);
  }
  return copy ? Object.fromEntries(copy) : value;
}

/** The listing of a server that may repeat our own secrets in it, without them. */
export function* scrubInventory(inventory: Inventory, hide: Hide | null): Sliced<Inventory> {
  if (hide === null) return inventory;
  const clean: Inventory = { tools: [], resources: [], resourceTemplates: [], prompts: [] };
  for (const kind of INVENTORY_KINDS) {
    for (const definition of inventory[kind]) {
      const scrubbed = yield* scrubValue(definition, hide);
      clean[kind].push(scrubbed === definition ? definition : { ...Object(scrubbed) });
      yield;
    }
  }
  return clean;
}

/** What is kept of a greeting as it came: a text of any length, and a value of any shape. */
export interface Greeting {
  capabilities: Record<string, unknown> | null;
  instructions: string | null;
}

/** The same of a server that may repeat our secrets in its greeting. */
export function* scrubGreeting(
  { capabilities, instructions }: { capabilities: unknown; instructions: string | null | undefined },
  hide: Hide | null,
): Sliced<Greeting> {
  const value = hide ? yield* scrubValue(capabilities, hide) : capabilities;
  return {
    capabilities: value ? { ...Object(value) } : null,
    instructions: instructions == null ? null : hide ? yield* hide(instructions) : instructions,
  };
}
