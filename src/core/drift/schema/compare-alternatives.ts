import type { Sliced } from '../../slices.ts';
import type { Comparison } from './comparison.ts';
import type { Conjunction } from './conjunction.ts';
import { describeTypes, typesOf, valuesOf } from './facets.ts';
import type { SchemaChange } from './schema-change.ts';
import { stringsOf } from './schema-node.ts';

const narrows = (changes: readonly SchemaChange[]): boolean =>
  changes.some(({ effect }) => effect === 'narrowed');

/**
 * Every alternative of before has to find one after that takes all it took. One that does not is told by
 * what its nearest successor lacks; those of after that succeed nobody are new.
 */
export function* compareAlternatives(
  comparison: Comparison,
  {
    oldOnes,
    newOnes,
  }: { one: Conjunction; other: Conjunction; oldOnes: Conjunction[]; newOnes: Conjunction[] },
): Sliced<SchemaChange[]> {
  const { depth } = comparison;
  const [single, successor] = [oldOnes[0], newOnes[0]];
  if (oldOnes.length === 1 && newOnes.length === 1 && single && successor) {
    return yield* comparison.compareOne(single, successor, depth);
  }
  [oldOnes, newOnes] = [oldOnes.flatMap(splitTypes), newOnes.flatMap(splitTypes)];
  const changes: SchemaChange[] = [];
  const succeeding = new Set<Conjunction>();
  for (const [index, before] of oldOnes.entries()) {
    const compared: { after: Conjunction; found: SchemaChange[] }[] = [];
    for (const after of newOnes)
      compared.push({ after, found: yield* comparison.compareOne(before, after, depth) });
    const fitting = compared
      .filter(({ found }) => !narrows(found))
      .sort((one, other) => one.found.length - other.found.length)[0];
    if (fitting) {
      succeeding.add(fitting.after);
      changes.push(...fitting.found);
      continue;
    }
    // The one in the same place is the likeliest to be meant to succeed it.
    const nearest = compared[newOnes.length === oldOnes.length ? index : 0];
    const sameKind = nearest && (newOnes.length === 1 || newOnes.length === oldOnes.length);
    if (sameKind && !nearest.found.some(({ path, code }) => path === '' && code === 'type_changed')) {
      succeeding.add(nearest.after);
      changes.push(...nearest.found);
    } else {
      const text = `no longer takes an alternative (${describe(comparison, before)})`;
      changes.push({ effect: 'narrowed', code: 'alternative_removed', path: '', text });
    }
  }
  for (const after of newOnes) {
    if (succeeding.has(after) || oldOnes.some((before) => covers(comparison, before, after))) continue;
    const text = `takes one more alternative (${describe(comparison, after)})`;
    changes.push({ effect: 'widened', code: 'alternative_added', path: '', text });
  }
  return dedupe(changes);
}

/** One object for each type, so that what is made of it is known when it is met again. */
const TYPES = new Map(
  ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'].map((type) => [type, { type }]),
);

/** `type: [string, null]` is another way to write anyOf. */
function splitTypes(alternative: Conjunction): Conjunction[] {
  const lists = alternative.map(({ type }) => type).filter((type) => Array.isArray(type));
  const [names] = lists;
  if (!names || lists.length > 1 || names.length < 2) return [alternative];
  const split = [...new Set(stringsOf(names))].flatMap((name) => TYPES.get(name) ?? []);
  return split.map((schema) => [...alternative, schema]);
}

/** Whether everything that `after` takes was taken by `before` already. */
function covers(comparison: Comparison, before: Conjunction, after: Conjunction): boolean {
  return comparison.budget.nameOf(before) === comparison.budget.nameOf(after);
}

function describe({ budget }: Comparison, alternative: Conjunction): string {
  const title = alternative.map(({ title }) => title).find((text) => typeof text === 'string');
  if (typeof title === 'string' && title !== '') return title.slice(0, 60);
  return describeTypes(typesOf(alternative, valuesOf(alternative, budget)));
}

/** Alternatives share what holds beside them, and what changed there is found with each. */
function dedupe(changes: readonly SchemaChange[]): SchemaChange[] {
  return [
    ...new Map(changes.map((change) => [`${change.code} ${change.path} ${change.text}`, change])).values(),
  ];
}
