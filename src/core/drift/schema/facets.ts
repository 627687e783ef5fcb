import type { CompareBudget } from './compare-budget.ts';
import type { Conjunction } from './conjunction.ts';
import { isNothing, isObject, member, type SchemaObject, schemaOf, stringsOf } from './schema-node.ts';

/** `fraction` is a number that is no integer, so that every type is one of these or two of them. */
const ATOMS = ['null', 'boolean', 'integer', 'fraction', 'string', 'array', 'object'] as const;
type Atom = (typeof ATOMS)[number];

export function typesOf(conjunction: Conjunction, values: ReadonlyMap<string, unknown> | null): Set<Atom> {
  let types = new Set<Atom>(ATOMS);
  for (const schema of conjunction) {
    if (isNothing(schema)) return new Set();
    const named = typeof schema.type === 'string' ? [schema.type] : stringsOf(schema.type);
    if (named.length === 0) continue;
    const allowed = new Set(named.flatMap((name) => (name === 'number' ? ['integer', 'fraction'] : [name])));
    types = new Set([...types].filter((atom) => allowed.has(atom)));
  }
  if (values) {
    const present = new Set([...values.values()].map(atomOf));
    types = new Set([...types].filter((atom) => present.has(atom)));
  }
  return types;
}

function atomOf(value: unknown): Atom {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'fraction';
  if (typeof value === 'boolean' || typeof value === 'string') return typeof value as 'boolean' | 'string';
  return 'object';
}

/** For people: `string`, `integer or null`, `anything`. */
export function describeTypes(types: ReadonlySet<Atom>): string {
  if (types.size === ATOMS.length) return 'anything';
  const names = [...types].filter((atom) => !(atom === 'integer' && types.has('fraction')));
  const words = names.map((atom) => (atom === 'fraction' ? 'number' : atom));
  return words.length === 0 ? 'nothing' : words.join(' or ');
}

/** The values that enum and const leave and the types allow, by their canonical text; null when enum and const say nothing. */
export function valuesOf(conjunction: Conjunction, budget: CompareBudget): Map<string, unknown> | null {
  const lists = conjunction.flatMap((schema) => [
    ...(Array.isArray(schema.enum) ? [schema.enum as unknown[]] : []),
    ...(Object.hasOwn(schema, 'const') ? [[schema.const]] : []),
  ]);
  const [first, ...others] = lists.map((list) => new Map(list.map((value) => [budget.textOf(value), value])));
  if (!first) return null;
  const types = typesOf(conjunction, null);
  return new Map(
    [...first].filter(
      ([text, value]) => types.has(atomOf(value)) && others.every((values) => values.has(text)),
    ),
  );
}

interface ObjectFacets {
  /** By name, what holds for it; members that may not be there are left out. */
  properties: Map<string, unknown[]>;
  required: Set<string>;
  closed: boolean;
  /** What other members have to be. */
  others: SchemaObject[];
  patterns: Map<string, unknown[]>;
}

export function objectFacetsOf(conjunction: Conjunction, budget: CompareBudget): ObjectFacets {
  const properties = collect(conjunction, 'properties', budget);
  for (const [name, schemas] of properties) {
    if (schemas.some((schema) => isNothing(schemaOf(schema)))) properties.delete(name);
  }
  const rules = conjunction.flatMap((schema) => [schema.additionalProperties, schema.unevaluatedProperties]);
  return {
    properties,
    required: new Set(conjunction.flatMap((schema) => stringsOf(schema.required))),
    closed: rules.some((rule) => rule === false || (isObject(rule) && isNothing(rule))),
    others: rules.filter(isObject).filter((rule) => Object.keys(rule).length > 0 && !isNothing(rule)),
    patterns: collect(conjunction, 'patternProperties', budget),
  };
}

function collect(conjunction: Conjunction, keyword: string, budget: CompareBudget): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const schema of conjunction) {
    const members = member(schema, keyword);
    if (!isObject(members)) continue;
    for (const [name, value] of Object.entries(members)) {
      budget.take();
      const sofar = found.get(name);
      if (sofar) sofar.push(value);
      else found.set(name, [value]);
    }
  }
  return found;
}

interface ArrayFacets {
  /** What each of the first items has to be. */
  first: unknown[][];
  /** What the others have to be. */
  rest: unknown[];
}

export function arrayFacetsOf(conjunction: Conjunction, budget: CompareBudget): ArrayFacets {
  const facets: ArrayFacets = { first: [], rest: [] };
  for (const schema of conjunction) {
    const tuple = Array.isArray(schema.prefixItems)
      ? schema.prefixItems
      : Array.isArray(schema.items)
        ? schema.items
        : [];
    budget.take(1 + tuple.length);
    tuple.forEach((item: unknown, index) => {
      const sofar = facets.first[index];
      if (sofar) sofar.push(item);
      else facets.first[index] = [item];
    });
    const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
    if (rest !== undefined) facets.rest.push(rest);
  }
  return facets;
}

/** The strictest bound that the schemas give; null for none. Draft 4 marks exclusive ones by a boolean. */
export function boundOf(
  conjunction: Conjunction,
  side: 'lower' | 'upper',
): { value: number; exclusive: boolean } | null {
  const [plain, strict] =
    side === 'lower' ? ['minimum', 'exclusiveMinimum'] : ['maximum', 'exclusiveMaximum'];
  const sign = side === 'lower' ? 1 : -1;
  let found: { value: number; exclusive: boolean } | null = null;
  for (const schema of conjunction) {
    const [including, excluding] = [schema[plain ?? ''], schema[strict ?? '']];
    const bounds = [
      ...(typeof including === 'number' ? [{ value: including, exclusive: excluding === true }] : []),
      ...(typeof excluding === 'number' ? [{ value: excluding, exclusive: true }] : []),
    ];
    for (const bound of bounds) {
      const isStricter =
        found === null ||
        bound.value * sign > found.value * sign ||
        (bound.value === found.value && bound.exclusive);
      if (isStricter) found = bound;
    }
  }
  return found;
}

/** The strictest of a counting keyword, `minLength` or `maxItems`; null for none. At least 0 is none. */
export function countOf(
  conjunction: Conjunction,
  keyword: string,
  strictest: 'highest' | 'lowest',
): number | null {
  const counts = conjunction
    .map((schema) => schema[keyword])
    .filter((count) => typeof count === 'number')
    .filter((count) => strictest === 'lowest' || count > 0);
  if (counts.length === 0) return null;
  return counts.reduce((one, other) =>
    strictest === 'highest' ? Math.max(one, other) : Math.min(one, other),
  );
}

/** The texts of a keyword: patterns, formats, descriptions. */
export function textsOf(conjunction: Conjunction, keyword: string): string[] {
  return conjunction.map((schema) => schema[keyword]).filter((text) => typeof text === 'string');
}
