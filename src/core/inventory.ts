import { createHash } from 'node:crypto';
import type { Definition, Inventory, InventoryKind } from './outcome.ts';

export type InventoryCounts = Record<InventoryKind, number>;

export function countInventory(inventory: Inventory): InventoryCounts {
  return {
    tools: inventory.tools.length,
    resources: inventory.resources.length,
    resourceTemplates: inventory.resourceTemplates.length,
    prompts: inventory.prompts.length,
  };
}

/**
 * The identity of an inventory: SHA-256 over the raw definitions as sent, so that nothing a client
 * would strip is lost. The order of the listing does not count; `v1:` names this scheme.
 */
export function hashInventory(inventory: Inventory): string {
  const hash = createHash('sha256');
  for (const kind of ['tools', 'resources', 'resourceTemplates', 'prompts'] as const) {
    hash.update(`${kind}\n`);
    for (const text of inventory[kind].map(serialize).sort()) {
      hash.update(text).update('\n');
    }
  }
  return `v1:${hash.digest('hex')}`;
}

/** A definition nested so deeply that it cannot be written out counts by what can be. */
function serialize(definition: Definition): string {
  try {
    return JSON.stringify(definition);
  } catch (error) {
    if (error instanceof RangeError) return JSON.stringify(cleanJson(definition));
    throw error;
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' ? cleanText(value) : null);

/** PostgreSQL takes neither NUL nor half a surrogate pair. */
export function cleanText(value: string): string {
  return value.replaceAll('\u0000', '').toWellFormed();
}

/** Deeper than any schema that a person wrote, and far from every stack's end. */
const MAX_JSON_DEPTH = 100;

/** JSON that PostgreSQL takes: no NUL, no lone surrogate, in keys and values; null below 100 levels. */
export function cleanJson(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth >= MAX_JSON_DEPTH) return null;
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [cleanText(key), cleanJson(item, depth + 1)]),
  );
}

export interface ToolRow {
  name: string;
  description: string | null;
  input_schema: unknown;
}
export interface ResourceRow {
  uri: string;
  name: string;
  description: string | null;
  mime_type: string | null;
  size: number | null;
  annotations: unknown;
}
export interface PromptRow {
  name: string;
  description: string | null;
  arguments: unknown;
}

/** A unique index takes no more than 2,704 bytes, and no client calls a tool by such a name. */
const MAX_KEY_BYTES = 1000;

/** Rows by their key, the last definition of a duplicate winning; without a usable key there is no row. */
function keyed<Row>(
  definitions: Definition[],
  key: string,
  rowOf: (id: string, definition: Definition) => Row,
): Row[] {
  const rows = new Map<string, Row>();
  for (const definition of definitions) {
    const id = text(definition[key]);
    if (id && Buffer.byteLength(id) <= MAX_KEY_BYTES) rows.set(id, rowOf(id, definition));
  }
  return [...rows.values()];
}

export function toolRows(inventory: Inventory): ToolRow[] {
  return keyed(inventory.tools, 'name', (name, tool) => ({
    name,
    description: text(tool.description),
    input_schema: cleanJson(tool.inputSchema ?? null),
  }));
}

const MAX_INTEGER = 2_147_483_647;

function resourceRow(
  uri: string,
  resource: Definition,
  custom: Record<string, unknown> | undefined,
): ResourceRow {
  const size = resource.size;
  const given = resource.annotations;
  const annotations =
    given && typeof given === 'object' ? (cleanJson(given) as Record<string, unknown>) : null;
  return {
    uri,
    name: text(resource.name) ?? uri,
    description: text(resource.description),
    mime_type: text(resource.mimeType),
    size:
      typeof size === 'number' && Number.isInteger(size) && size >= 0 && size <= MAX_INTEGER ? size : null,
    annotations: custom ? { ...annotations, custom } : annotations,
  };
}

/** Resources, and templates told apart by `annotations.custom.template`. */
export function resourceRows(inventory: Inventory): ResourceRow[] {
  const plain = keyed(inventory.resources, 'uri', (uri, resource) => resourceRow(uri, resource, undefined));
  const templates = keyed(inventory.resourceTemplates, 'uriTemplate', (uri, template) =>
    resourceRow(uri, template, { template: true }),
  );
  const taken = new Set(plain.map((row) => row.uri));
  return [...plain, ...templates.filter((row) => !taken.has(row.uri))];
}

export function promptRows(inventory: Inventory): PromptRow[] {
  return keyed(inventory.prompts, 'name', (name, prompt) => ({
    name,
    description: text(prompt.description),
    arguments: Array.isArray(prompt.arguments) ? cleanJson(prompt.arguments) : [],
  }));
}
