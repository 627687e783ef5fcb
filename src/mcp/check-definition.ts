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
  const open: { value: object; depth: number }[] = [{ value: definition, depth: 1 }];
  let values = 0;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, depth } = at;
    if (depth > MAX_DEPTH)
      return { code: 'too_deep', message: `it is nested deeper than ${MAX_DEPTH} levels` };
    for (const member of Array.isArray(value) ? value : Object.values(value)) {
      values += 1;
      if (values > MAX_CHECKED_VALUES) return invalid(`it has more than ${MAX_CHECKED_VALUES} values`);
      if (typeof member === 'object' && member !== null) open.push({ value: member, depth: depth + 1 });
    }
  }
  return undefined;
}

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
