import type { Definition, InventoryKind } from '../outcome.ts';
import type { Sliced } from '../slices.ts';
import type { Grade, PartChange } from './change.ts';
import { sameJson } from './same-json.ts';
import { compareSchemas } from './schema/compare-schemas.ts';
import type { SchemaChange } from './schema/schema-change.ts';

/** How one definition became another one of the same name. What a text says is for the rules to judge. */
export function* gradeDefinition(
  kind: InventoryKind,
  before: Definition,
  after: Definition,
): Sliced<PartChange[]> {
  const changes: PartChange[] = [];
  if (kind === 'tools') changes.push(...(yield* gradeTool(before, after)));
  if (kind === 'prompts') changes.push(...gradeArguments(before, after));
  if (kind === 'resources' || kind === 'resourceTemplates') {
    if (!sameJson(before.mimeType, after.mimeType)) {
      const text = `has the type ${word(after.mimeType)} in place of ${word(before.mimeType)}`;
      changes.push({ grade: 'breaking', code: 'mime_type_changed', text });
    }
  }
  const graded = new Set(GRADED_MEMBERS[kind]);
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (graded.has(name) || sameJson(before[name], after[name])) continue;
    // The names of the members are the server's, too.
    const label = name.length > 60 ? `${name.slice(0, 59)}…` : name;
    changes.push({ grade: 'cosmetic', code: 'text_changed', text: `has another \`${label}\`` });
  }
  return changes;
}

/** Members that are looked at by themselves, and those that definitions go by. */
const GRADED_MEMBERS: Record<InventoryKind, readonly string[]> = {
  tools: ['name', 'inputSchema', 'outputSchema', 'execution'],
  prompts: ['name', 'arguments'],
  resources: ['uri', 'mimeType'],
  resourceTemplates: ['uriTemplate', 'mimeType'],
};

const word = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 100) : 'none');

function* gradeTool(before: Definition, after: Definition): Sliced<PartChange[]> {
  return [
    ...(yield* compareSchemas(before.inputSchema, after.inputSchema)).map(gradeInput),
    ...(yield* gradeOutput(before.outputSchema, after.outputSchema)),
    ...gradeExecution(before, after),
  ];
}

const INPUT_GRADES: Record<SchemaChange['effect'], Grade> = {
  narrowed: 'breaking',
  widened: 'additive',
  noted: 'cosmetic',
};

/** Input is what callers send: what they may send now must still be taken. */
function gradeInput(change: SchemaChange): PartChange {
  return { grade: INPUT_GRADES[change.effect], code: change.code, text: describeInput(change) };
}

function describeInput({ code, path, text }: SchemaChange): string {
  const parameter = `parameter \`${path}\``;
  if (path === '') return `: its input ${text}`;
  if (code === 'property_removed') return `lost ${parameter}`;
  if (code === 'property_added') return `has a new optional ${parameter}`;
  if (code === 'required_added' && text.includes('new')) return `has a new required ${parameter}`;
  if (code === 'required_added') return `now requires ${parameter}`;
  return `: ${parameter} ${text}`;
}

/** Output is what callers read and may check: any change of what it may be is breaking. */
function* gradeOutput(before: unknown, after: unknown): Sliced<PartChange[]> {
  if (before === undefined && after === undefined) return [];
  if (before === undefined)
    return [{ grade: 'additive', code: 'output_added', text: 'has an output schema now' }];
  if (after === undefined)
    return [{ grade: 'breaking', code: 'output_changed', text: 'lost its output schema' }];
  return (yield* compareSchemas(before, after)).map(({ effect, path, text }) => {
    const what = path === '' ? text : `\`${path}\` ${text}`;
    return {
      grade: effect === 'noted' ? 'cosmetic' : 'breaking',
      code: effect === 'noted' ? 'description_changed' : 'output_changed',
      text: `: its output schema changed: ${what}`,
    };
  });
}

/** A tool that can only be called as a task is of no use to clients that know none. */
function gradeExecution(before: Definition, after: Definition): PartChange[] {
  if (sameJson(before.execution, after.execution)) return [];
  const taskSupport = (tool: Definition): unknown =>
    typeof tool.execution === 'object' && tool.execution !== null
      ? Reflect.get(tool.execution, 'taskSupport')
      : undefined;
  const [from, to] = [taskSupport(before), taskSupport(after)];
  if (to === 'required' && from !== 'required') {
    return [{ grade: 'breaking', code: 'task_required', text: 'can only be called as a task now' }];
  }
  return [{ grade: 'cosmetic', code: 'text_changed', text: 'has another `execution`' }];
}

interface Argument {
  required: boolean;
  rest: unknown;
}

function argumentsOf(prompt: Definition): Map<string, Argument> {
  const found = new Map<string, Argument>();
  for (const argument of Array.isArray(prompt.arguments) ? (prompt.arguments as unknown[]) : []) {
    if (typeof argument !== 'object' || argument === null) continue;
    const { name, required, ...rest } = argument as Record<string, unknown>;
    if (typeof name === 'string') found.set(name, { required: required === true, rest });
  }
  return found;
}

function gradeArguments(before: Definition, after: Definition): PartChange[] {
  const [old, now] = [argumentsOf(before), argumentsOf(after)];
  const changes: PartChange[] = [];
  for (const [name, { required, rest }] of old) {
    const label = `argument \`${name.slice(0, 100)}\``;
    const successor = now.get(name);
    if (!successor) {
      changes.push({ grade: 'breaking', code: 'argument_removed', text: `lost ${label}` });
      continue;
    }
    if (!required && successor.required) {
      changes.push({ grade: 'breaking', code: 'required_added', text: `now requires ${label}` });
    }
    if (required && !successor.required) {
      changes.push({ grade: 'additive', code: 'required_removed', text: `no longer requires ${label}` });
    }
    if (!sameJson(rest, successor.rest)) {
      changes.push({
        grade: 'cosmetic',
        code: 'description_changed',
        text: `: ${label} has another description`,
      });
    }
  }
  for (const [name, { required }] of now) {
    if (old.has(name)) continue;
    const label = `argument \`${name.slice(0, 100)}\``;
    changes.push(
      required
        ? { grade: 'breaking', code: 'required_added', text: `has a new required ${label}` }
        : { grade: 'additive', code: 'argument_added', text: `has a new optional ${label}` },
    );
  }
  return changes;
}
