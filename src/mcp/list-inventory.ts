import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { Definition, Inventory, InventoryKind, Warning } from '../core/outcome.ts';
import type { Sliced } from '../core/slices.ts';
import { type DefinitionProblem, definitionName, definitionProblem } from './check-definition.ts';
import { FaultError } from './fault-error.ts';
import type { ProbeLimits } from './limits.ts';
import { ListingDigest } from './listing-digest.ts';
import type { Opened } from './opened.ts';
import { textOfResult } from './transports/message-reader.ts';

interface Family {
  kind: InventoryKind;
  method: string;
  /** The capability that announces it. */
  capability: string;
  label: string;
}

const FAMILIES: readonly Family[] = [
  { kind: 'tools', method: 'tools/list', capability: 'tools', label: 'tool' },
  { kind: 'resources', method: 'resources/list', capability: 'resources', label: 'resource' },
  {
    kind: 'resourceTemplates',
    method: 'resources/templates/list',
    capability: 'resources',
    label: 'resource template',
  },
  { kind: 'prompts', method: 'prompts/list', capability: 'prompts', label: 'prompt' },
];

/** What tells the entries of a family apart. */
const KEYS: Record<InventoryKind, string> = {
  tools: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
  prompts: 'name',
};

/** So that a server of 10,000 broken tools does not become 10,000 warnings. */
const MAX_NAMED_PROBLEMS = 20;

type Page = Record<string, unknown>;

const PAGES: Record<InventoryKind, z.ZodType<Page>> = {
  tools: pageOf('tools'),
  resources: pageOf('resources'),
  resourceTemplates: pageOf('resourceTemplates'),
  prompts: pageOf('prompts'),
};

/** A page as sent: a schema that copies would cost more than all else in a listing. */
function pageOf(kind: InventoryKind): z.ZodType<Page> {
  const isPage = (value: unknown) => {
    if (typeof value !== 'object' || value === null || !Array.isArray(Reflect.get(value, kind))) return false;
    const cursor: unknown = Reflect.get(value, 'nextCursor');
    return cursor === undefined || cursor === null || typeof cursor === 'string';
  };
  return z.custom<Page>(isPage, `it holds no array of ${kind}, or a nextCursor that is no text`);
}

/** The JSON-RPC code of an error answer, also where HTTP gave it a status of its own. */
export function rpcCodeOf(error: unknown): number | undefined {
  if (error instanceof McpError) return error.code;
  return error instanceof FaultError ? error.rpc?.code : undefined;
}

/** An answer that is wrong in itself: the server is alive, and the other families may be well. */
function isBadAnswer(error: unknown): boolean {
  return error instanceof McpError || (error instanceof Error && error.name.includes('ZodError'));
}

/**
 * Lists every family that the server advertises, all pages, each definition as it was sent. What one
 * family does wrong becomes a warning and leaves that family empty; rejects for what ends the probe.
 */
export async function listInventory(
  opened: Opened,
  limits: ProbeLimits,
  sdkTimeoutMs: number,
  isOver: () => boolean,
  inTurns: <Result>(work: Sliced<Result>) => Promise<Result>,
  describe: (error: unknown) => string,
): Promise<{ inventory: Inventory; warnings: Warning[]; digest: string | null }> {
  const inventory: Inventory = { tools: [], resources: [], resourceTemplates: [], prompts: [] };
  const warnings: Warning[] = [];
  const digest = new ListingDigest();
  for (const family of FAMILIES) {
    if (!opened.capabilities[family.capability]) continue;
    const { kind, method } = family;
    try {
      const entries = await listFamily(opened, family, limits, sdkTimeoutMs, digest);
      inventory[kind] = await inTurns(judge(opened, family, entries, warnings));
    } catch (error) {
      if (isOver()) throw error;
      if (rpcCodeOf(error) === ErrorCode.MethodNotFound) {
        // Templates have no capability of their own, so that not having them is no broken promise.
        if (kind === 'resourceTemplates') continue;
        const message = `it advertises ${family.capability}, and does not implement ${method}`;
        warnings.push({ code: 'list_not_implemented', kind, message });
      } else if (isBadAnswer(error)) {
        warnings.push({ code: 'list_failed', kind, message: `${method}: ${describe(error)}` });
      } else {
        throw error;
      }
    }
  }
  return { inventory, warnings, digest: digest.end() };
}

async function listFamily(
  { protocol }: Opened,
  { kind, method }: Family,
  limits: ProbeLimits,
  timeout: number,
  digest: ListingDigest,
): Promise<unknown[]> {
  const entries: unknown[] = [];
  const cursors = new Set<string>();
  let cursor: string | undefined;
  for (let page = 1; page <= limits.pages; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const result = await protocol.request({ method, params }, PAGES[kind], { timeout });
    digest.add(kind, textOfResult(result));
    const listed = result[kind];
    if (Array.isArray(listed)) for (const entry of listed) entries.push(entry);
    if (entries.length > limits.items) {
      const message = `${method} brought more than ${limits.items} entries`;
      throw new FaultError({ kind: 'limit', phase: 'list', limit: 'items', message });
    }
    const { nextCursor } = result;
    // Some servers say with an empty cursor what the others say with none.
    if (typeof nextCursor !== 'string' || nextCursor === '') return entries;
    if (cursors.has(nextCursor)) {
      const message = `${method} gives the same cursor again on page ${page}: its paging goes in a circle`;
      throw new FaultError({ kind: 'limit', phase: 'list', limit: 'pages', message });
    }
    cursors.add(nextCursor);
    cursor = nextCursor;
  }
  const message = `${method} still had no last page after ${limits.pages}`;
  throw new FaultError({ kind: 'limit', phase: 'list', limit: 'pages', message });
}

function* judge(
  opened: Opened,
  { kind, label }: Family,
  entries: unknown[],
  warnings: Warning[],
): Sliced<Definition[]> {
  const definitions: Definition[] = [];
  const problems: DefinitionProblem[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < entries.length; index += 1) {
    if (index % 20 === 19) yield;
    const entry = entries[index];
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      problems.push({ code: 'invalid_definition', message: `${label} no. ${index + 1} is no object` });
      continue;
    }
    const definition = entry as Definition;
    definitions.push(definition);
    const key = definition[KEYS[kind]];
    if (typeof key === 'string' && seen.size === seen.add(key).size) {
      const message = `${label} ${definitionName(definition, index)}: another ${label} has the same ${KEYS[kind]}`;
      problems.push({ code: 'invalid_definition', message });
    }
    const problem = definitionProblem(kind, definition, opened.era);
    if (problem !== undefined) {
      const message = `${label} ${definitionName(definition, index)}: ${problem.message}`;
      problems.push({ ...problem, message });
    }
  }
  for (const problem of problems.slice(0, MAX_NAMED_PROBLEMS)) warnings.push({ ...problem, kind });
  const unnamed = problems.length - MAX_NAMED_PROBLEMS;
  if (unnamed > 0) {
    warnings.push({ code: 'invalid_definition', kind, message: `and ${unnamed} more ${label} definitions` });
  }
  return definitions;
}
