import { isObject, textOf } from './imported.ts';

/** A field by its present name or by the one with underscores that files had until September 2025. */
export function field(object: Record<string, unknown>, name: string): unknown {
  if (name in object) return object[name];
  return object[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

export function objectsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** What an input of the file amounts to without asking anybody. */
export type InputValue =
  | { kind: 'value'; text: string }
  /** Nobody has to give it. */
  | { kind: 'absent' }
  /** Somebody has to give `what`. */
  | { kind: 'missing'; what: string };

const isRequired = (input: Record<string, unknown>) => field(input, 'isRequired') === true;

function plainValue(input: Record<string, unknown>): string | undefined {
  return textOf(input.value) ?? textOf(input.default);
}

/**
 * Puts `variables` into the `{braces}` of a text; braces that name no variable stay as they are.
 * Returns the names of those that nobody gave a value.
 */
export function fillTemplate(template: string, variables: unknown): { text: string; missing: string[] } {
  const missing: string[] = [];
  const known = isObject(variables) ? variables : {};
  const text = template.replace(/\{([^{}]+)\}/g, (match, name: string) => {
    const variable = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!isObject(variable)) return match;
    const value = plainValue(variable);
    if (value === undefined) missing.push(name);
    return value ?? match;
  });
  return { text, missing };
}

/** The value of one input (argument, environment variable or header), named `name` for people. */
export function evaluateInput(input: Record<string, unknown>, name: string): InputValue {
  const template = plainValue(input);
  if (template === undefined) return isRequired(input) ? { kind: 'missing', what: name } : { kind: 'absent' };
  const { text, missing } = fillTemplate(template, input.variables);
  if (missing.length === 0) return { kind: 'value', text };
  const variables = isObject(input.variables) ? input.variables : {};
  const mustBeGiven =
    isRequired(input) ||
    missing.some((variable) => {
      const definition = variables[variable];
      return isObject(definition) && isRequired(definition);
    });
  return mustBeGiven ? { kind: 'missing', what: `${name} (${missing.join(', ')})` } : { kind: 'absent' };
}

/** Values by name, and the names of the required ones that the file does not give. */
export function evaluateNamed(inputs: unknown): { values: Record<string, string>; missing: string[] } {
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const input of objectsOf(inputs)) {
    const name = textOf(input.name);
    if (name === undefined) continue;
    const value = evaluateInput(input, name);
    if (value.kind === 'value') values[name] = value.text;
    if (value.kind === 'missing') missing.push(value.what);
  }
  return { values, missing };
}
