/** Reading schemas that anybody may have written: nothing here throws, whatever they hold. */

export type SchemaObject = Record<string, unknown>;

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `true` allows everything and `false` nothing; what is no schema says nothing. */
export function schemaOf(value: unknown): SchemaObject {
  if (isObject(value)) return value;
  return value === false ? NOTHING : ANYTHING;
}

const ANYTHING: SchemaObject = {};
const NOTHING: SchemaObject = { not: {} };

export const isNothing = (schema: SchemaObject): boolean =>
  isObject(schema.not) && Object.keys(schema.not).length === 0;

/** An own member: a schema may have a property called `constructor`. */
export function member(object: SchemaObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export const schemasOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const stringsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/**
 * What a local reference points to: a JSON pointer, an `$anchor`, an `$id` of a definition. undefined when
 * it leads nowhere or elsewhere: nothing is ever fetched.
 */
export function resolveRef(root: unknown, ref: string): unknown {
  if (ref === '#') return root;
  if (ref.startsWith('#/')) {
    let at: unknown = root;
    for (const part of ref.slice(2).split('/').slice(0, 100)) {
      const name = decode(part).replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(at)) at = at[Number(name)];
      else if (isObject(at)) at = member(at, name);
      else return undefined;
    }
    return at;
  }
  if (!isObject(root)) return undefined;
  for (const holder of ['$defs', 'definitions']) {
    const definitions = member(root, holder);
    if (!isObject(definitions)) continue;
    for (const definition of Object.values(definitions).slice(0, 1000)) {
      if (!isObject(definition)) continue;
      if (ref.startsWith('#') ? definition.$anchor === ref.slice(1) : definition.$id === ref)
        return definition;
    }
  }
  return undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
