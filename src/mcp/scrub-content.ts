import type { Inventory } from '../core/outcome.ts';
import { INVENTORY_KINDS } from '../core/outcome.ts';

/** Deeper than this nothing is stored, and nobody could read it. */
const MAX_DEPTH = 200;
/** How long the event loop may be held by one go. */
const SLICE_MS = 5;

/** Takes secrets out of a text; gives the text itself back when there is none in it. */
export type Hide = (text: string) => string;

/** A JSON value without secrets, in texts and in names; the value itself when there are none in it. */
export function scrubValue(value: unknown, hide: Hide, depth = 0): unknown {
  if (typeof value === 'string') return hide(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return null;
  if (Array.isArray(value)) {
    const items: unknown[] = value.map((item) => scrubValue(item, hide, depth + 1));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  let changed = false;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const clean: [string, unknown] = [hide(name), scrubValue(item, hide, depth + 1)];
    changed ||= clean[0] !== name || clean[1] !== item;
    return clean;
  });
  return changed ? Object.fromEntries(entries) : value;
}

/** The listing of a server that may repeat our own secrets in it, without them; in slices. */
export async function scrubInventory(inventory: Inventory, hide: Hide | null): Promise<Inventory> {
  if (hide === null) return inventory;
  const clean: Inventory = { tools: [], resources: [], resourceTemplates: [], prompts: [] };
  let since = performance.now();
  for (const kind of INVENTORY_KINDS) {
    for (const definition of inventory[kind]) {
      const scrubbed = scrubValue(definition, hide);
      clean[kind].push(scrubbed === definition ? definition : { ...Object(scrubbed) });
      if (performance.now() - since < SLICE_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
  }
  return clean;
}
