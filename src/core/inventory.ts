import { jsonArrays } from './json/array-chunks.ts';
import type { Definition, Inventory, InventoryKind } from './outcome.ts';
import type { Sliced } from './slices.ts';

export type InventoryCounts = Record<InventoryKind, number>;

export function countInventory(inventory: Inventory): InventoryCounts {
  return {
    tools: inventory.tools.length,
    resources: inventory.resources.length,
    resourceTemplates: inventory.resourceTemplates.length,
    prompts: inventory.prompts.length,
  };
}

/** No column needs more, and no reader. */
const MAX_TEXT_LENGTH = 100_000;

const text = (value: unknown): string | null =>
  typeof value === 'string' ? cleanText(value.slice(0, MAX_TEXT_LENGTH)) : null;

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

interface ToolRow {
  name: string;
  description: string | null;
  input_schema: unknown;
}
interface ResourceRow {
  uri: string;
  name: string;
  description: string | null;
  mime_type: string | null;
  size: number | null;
  annotations: unknown;
}
interface PromptRow {
  name: string;
  description: string | null;
  arguments: unknown;
}

/** A unique index takes no more than 2,704 bytes, and no client calls a tool by such a name. */
const MAX_KEY_BYTES = 1000;

/** The rows of a table as JSON texts, each an array that one statement takes, and what is gone from it. */
export interface TableRows {
  chunks: string[];
  /** Rows of other keys are gone; null when `gone` says which. */
  keys: string | null;
  /** The keys of rows that are gone. */
  gone: string[];
}
export type InventoryRows = Record<'tools' | 'resources' | 'prompts', TableRows>;

/** What is to be written of a table whose rows are what an earlier listing said. */
export interface RowsDifference {
  definitions: Definition[];
  gone: string[];
}

/**
 * The rows of the inventory tables. Definitions in `tooLarge` have no schema there. Of the tools and
 * prompts for which a difference is given, that alone is written.
 */
export function* inventoryRows(
  inventory: Inventory,
  tooLarge: ReadonlySet<Definition>,
  only: { tools?: RowsDifference; prompts?: RowsDifference; resources?: 'none' } = {},
): Sliced<InventoryRows> {
  const small = (value: unknown, definition: Definition): unknown =>
    tooLarge.has(definition) ? null : value;
  const tools = yield* keyed(only.tools?.definitions ?? inventory.tools, 'name', (name, tool) =>
    toolRow(name, tool, small(tool.inputSchema ?? null, tool)),
  );
  const prompts = yield* keyed(only.prompts?.definitions ?? inventory.prompts, 'name', (name, prompt) =>
    promptRow(name, prompt, small(prompt.arguments, prompt)),
  );
  return {
    tools: yield* tableRows(tools, only.tools?.gone ?? null),
    resources:
      only.resources === 'none'
        ? { chunks: [], keys: null, gone: [] }
        : yield* tableRows(yield* resourceRows(inventory, small), null),
    prompts: yield* tableRows(prompts, only.prompts?.gone ?? null),
  };
}

/** Resources, and templates beside them. */
function* resourceRows(
  inventory: Inventory,
  small: (value: unknown, definition: Definition) => unknown,
): Sliced<Map<string, { row: () => object }>> {
  const plain = yield* keyed(inventory.resources, 'uri', (uri, resource) =>
    resourceRow(uri, resource, small(resource.annotations, resource), undefined),
  );
  const templates = yield* keyed(inventory.resourceTemplates, 'uriTemplate', (uri, template) =>
    resourceRow(uri, template, small(template.annotations, template), { template: true }),
  );
  // A template that has a resource's address does not take its place.
  for (const uri of plain.keys()) templates.delete(uri);
  return new Map([...plain, ...templates]);
}

/** Rows by their key, the last definition of a duplicate winning; without a usable key there is no row. */
function* keyed(
  definitions: readonly Definition[],
  key: string,
  rowOf: (id: string, definition: Definition) => object,
): Sliced<Map<string, { row: () => object }>> {
  const rows = new Map<string, { row: () => object }>();
  let seen = 0;
  for (const definition of definitions) {
    seen += 1;
    if (seen % 200 === 0) yield;
    const id = text(definition[key]);
    if (id && Buffer.byteLength(id) <= MAX_KEY_BYTES) rows.set(id, { row: () => rowOf(id, definition) });
  }
  return rows;
}

function* tableRows(
  rows: ReadonlyMap<string, { row: () => object }>,
  gone: string[] | null,
): Sliced<TableRows> {
  // Made one after the other: all of them at once would be as much again as the listing.
  const made = (function* () {
    for (const { row } of rows.values()) yield row();
  })();
  const chunks = yield* jsonArrays(made);
  return { chunks, keys: gone === null ? JSON.stringify([...rows.keys()]) : null, gone: gone ?? [] };
}

function toolRow(name: string, tool: Definition, schema: unknown): ToolRow {
  return { name, description: text(tool.description), input_schema: cleanJson(schema) };
}

const MAX_INTEGER = 2_147_483_647;

/** Templates are told apart by `annotations.custom.template`. */
function resourceRow(
  uri: string,
  resource: Definition,
  given: unknown,
  custom: Record<string, unknown> | undefined,
): ResourceRow {
  const size = resource.size;
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

function promptRow(name: string, prompt: Definition, given: unknown): PromptRow {
  return {
    name,
    description: text(prompt.description),
    arguments: Array.isArray(given) ? cleanJson(given) : [],
  };
}
