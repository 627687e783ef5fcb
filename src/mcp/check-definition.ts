import { specTypeSchemas } from '@modelcontextprotocol/client';
import {
  PromptSchema,
  ResourceSchema,
  ResourceTemplateSchema,
  ToolSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Definition, InventoryKind } from '../core/outcome.ts';
import type { Era } from '../core/target.ts';

/** Members that plain definitions have; whoever has others is checked by the SDK's schema. */
const PLAIN_MEMBERS = new Set([
  'name',
  'title',
  'description',
  'inputSchema',
  'uri',
  'uriTemplate',
  'mimeType',
]);
const PLAIN_STRINGS = ['title', 'description', 'uri', 'uriTemplate', 'mimeType'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isPlainInputSchema(schema: unknown): boolean {
  if (!isObject(schema) || schema.type !== 'object') return false;
  const { properties, required } = schema;
  if (
    required !== undefined &&
    !(Array.isArray(required) && required.every((name) => typeof name === 'string'))
  )
    return false;
  return properties === undefined || (isObject(properties) && Object.values(properties).every(isObject));
}

/** True for what is surely right: most definitions never reach the schemas, which cost ten times as much. */
function isPlainlyRight(kind: InventoryKind, definition: Definition): boolean {
  for (const member in definition) if (!PLAIN_MEMBERS.has(member)) return false;
  if (typeof definition.name !== 'string') return false;
  for (const member of PLAIN_STRINGS) {
    if (definition[member] !== undefined && typeof definition[member] !== 'string') return false;
  }
  if (kind === 'tools') return isPlainInputSchema(definition.inputSchema);
  if (kind === 'resources') return definition.uri !== undefined;
  return kind !== 'resourceTemplates' || definition.uriTemplate !== undefined;
}

const HANDSHAKE = {
  tools: ToolSchema,
  resources: ResourceSchema,
  resourceTemplates: ResourceTemplateSchema,
  prompts: PromptSchema,
};
const STATELESS = {
  tools: specTypeSchemas.Tool,
  resources: specTypeSchemas.Resource,
  resourceTemplates: specTypeSchemas.ResourceTemplate,
  prompts: specTypeSchemas.Prompt,
};

/** More than any definition that a model could read. */
const MAX_CHECKED_VALUES = 10_000;
/** Deeper than any schema that a model, or a form, could make something of. */
const MAX_DEPTH = 200;

/** Whether it is more than what a check may go through at once, which is not bounded by itself. */
function excessOf(definition: Definition): DefinitionProblem | undefined {
  const budget = { values: MAX_CHECKED_VALUES };
  if (reachesBeyond(definition, 1, budget)) {
    return budget.values < 0
      ? invalid(`it has more than ${MAX_CHECKED_VALUES} values`)
      : { code: 'too_deep', message: `it is nested deeper than ${MAX_DEPTH} levels` };
  }
  return undefined;
}

/** Takes what it counts off the budget; it ends where that, or the depth, does. */
function reachesBeyond(value: object, depth: number, budget: { values: number }): boolean {
  if (depth > MAX_DEPTH) return true;
  if (Array.isArray(value)) {
    budget.values -= value.length;
    return budget.values < 0 || value.some((member) => isBeyond(member, depth, budget));
  }
  // What JSON brings inherits nothing, so that these are its own members; a list of them would be one more
  // object for each of it.
  for (const name in value) {
    budget.values -= 1;
    const member: unknown = Reflect.get(value, name);
    if (budget.values < 0 || isBeyond(member, depth, budget)) return true;
  }
  return false;
}

const isBeyond = (member: unknown, depth: number, budget: { values: number }): boolean =>
  typeof member === 'object' && member !== null && reachesBeyond(member, depth + 1, budget);

/** What is wrong with a definition, and how that is called. */
export interface DefinitionProblem {
  code: 'invalid_definition' | 'too_deep';
  message: string;
}

const invalid = (message: string): DefinitionProblem => ({ code: 'invalid_definition', message });

/** What a strict client of that era would reject `definition` for; undefined when nothing. */
export function definitionProblem(
  kind: InventoryKind,
  definition: Definition,
  era: Era,
): DefinitionProblem | undefined {
  // The schemas go through all of it at once: what has too much for that is of no use to a client either.
  const excess = excessOf(definition);
  if (excess) return excess;
  if (isPlainlyRight(kind, definition)) return undefined;
  const schema = (era === 'handshake' ? HANDSHAKE : STATELESS)[kind];
  const result = schema['~standard'].validate(definition);
  if (result instanceof Promise) return undefined;
  const issue = result.issues?.[0];
  if (!issue) return undefined;
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return invalid(path === '' ? issue.message : `${path}: ${issue.message}`);
}

/** How a definition is named in a message, also when its name is what is wrong with it. */
export function definitionName(definition: Definition, index: number): string {
  const { name, uri, uriTemplate } = definition;
  for (const label of [name, uri, uriTemplate]) if (typeof label === 'string' && label !== '') return label;
  return `no. ${index + 1}`;
}
