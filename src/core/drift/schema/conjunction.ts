import type { CompareBudget } from './compare-budget.ts';
import { isObject, resolveRef, type SchemaObject, schemaOf, schemasOf } from './schema-node.ts';

/** Schemas that hold together: what a schema says itself, by its references and by its allOf. */
export type Conjunction = readonly SchemaObject[];

/** Follows $ref and allOf, each schema once, so that those which lead back to themselves end. */
export function flatten(schemas: readonly unknown[], root: unknown, budget: CompareBudget): Conjunction {
  const seen = new Set<SchemaObject>();
  const open = schemas.map(schemaOf).reverse();
  for (let schema = open.pop(); schema !== undefined; schema = open.pop()) {
    if (seen.has(schema)) continue;
    budget.take();
    seen.add(schema);
    for (const part of schemasOf(schema.allOf).toReversed()) open.push(schemaOf(part));
    for (const ref of [schema.$ref, schema.$dynamicRef]) {
      if (typeof ref !== 'string') continue;
      // An anchor is looked for in all definitions, and a pointer part by part.
      budget.take(ref.startsWith('#/') ? 1 + (ref.length >> 4) : 20);
      const target = resolveRef(root, ref);
      if (isObject(target) || typeof target === 'boolean') open.push(schemaOf(target));
    }
  }
  return [...seen];
}

/** More than this are compared as a rule, by their text alone. */
const MAX_ALTERNATIVES = 24;
const MAX_NESTING = 6;

/**
 * The alternatives that anyOf and oneOf give, each with everything that holds beside them; one when there
 * are none. null when they are too many, or lead back to themselves.
 */
export function alternativesOf(
  conjunction: Conjunction,
  root: unknown,
  budget: CompareBudget,
  nesting = 0,
): Conjunction[] | null {
  const groups = conjunction.flatMap((schema) =>
    [schema.anyOf, schema.oneOf].filter((group) => Array.isArray(group) && group.length > 0).map(schemasOf),
  );
  if (nesting > MAX_NESTING) return groups.length > 0 ? null : [conjunction];
  let found: Conjunction[] = [conjunction];
  for (const group of groups) {
    if (group.length > MAX_ALTERNATIVES) return null;
    const branches: Conjunction[] = [];
    for (const branch of group) {
      budget.take();
      const inner = alternativesOf(flatten([branch], root, budget), root, budget, nesting + 1);
      if (!inner) return null;
      branches.push(...inner);
    }
    if (found.length * branches.length > MAX_ALTERNATIVES) return null;
    found = found.flatMap((sofar) => branches.map((branch) => [...new Set([...sofar, ...branch])]));
  }
  return found;
}
