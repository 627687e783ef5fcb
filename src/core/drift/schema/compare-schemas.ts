import type { Sliced } from '../../slices.ts';
import { canonicalJson } from '../canonical-json.ts';
import { compareAlternatives } from './compare-alternatives.ts';
import { CompareBudget, TooMuchToCompare } from './compare-budget.ts';
import { compareOne } from './compare-one.ts';
import type { Comparison } from './comparison.ts';
import { alternativesOf, type Conjunction, flatten } from './conjunction.ts';
import type { SchemaChange } from './schema-change.ts';

/** Far more than a schema that a person wrote; some milliseconds of work. */
const MAX_STEPS = 10_000;
/** Deeper, two schemas are compared by their text. */
const MAX_DEPTH = 40;

/**
 * What a JSON Schema's change means to whoever sends what it describes. It follows local references,
 * allOf, anyOf and oneOf, nested objects and arrays. It always ends: a pair of schemas that is met again
 * inside itself counts as equal there, and beyond a bound of steps the whole is `not_compared`.
 */
export function* compareSchemas(before: unknown, after: unknown): Sliced<SchemaChange[]> {
  if ((yield* canonicalJson(before)) === (yield* canonicalJson(after))) return [];
  const budget = new CompareBudget(MAX_STEPS);
  const known = new Map<string, SchemaChange[]>();
  const comparison: Omit<Comparison, 'depth'> = {
    budget,
    oldRoot: before,
    newRoot: after,
    compare(oldSchemas, newSchemas, depth) {
      const one = flatten(oldSchemas, before, budget);
      const other = flatten(newSchemas, after, budget);
      return remembered('whole', one, other, () => compareConjunctions(one, other, depth));
    },
    compareOne: (one, other, depth) =>
      remembered('one', one, other, () => compareOne({ ...comparison, depth }, one, other)),
  };

  function* remembered(
    what: string,
    one: Conjunction,
    other: Conjunction,
    find: () => Sliced<SchemaChange[]>,
  ): Sliced<SchemaChange[]> {
    budget.take(1 + ((one.length + other.length) >> 2));
    const name = `${what}:${budget.nameOf(one)}/${budget.nameOf(other)}`;
    const found = known.get(name);
    if (found) return found;
    // Met again inside itself, the pair adds nothing to what is found outside.
    known.set(name, []);
    yield;
    const changes = yield* find();
    known.set(name, changes);
    budget.take(changes.length);
    return changes;
  }

  function* compareConjunctions(one: Conjunction, other: Conjunction, depth: number): Sliced<SchemaChange[]> {
    if (depth > MAX_DEPTH) return compareTexts(one, other, 'is nested deeper than is compared, and changed');
    const [oldOnes, newOnes] = [alternativesOf(one, before, budget), alternativesOf(other, after, budget)];
    if (!oldOnes || !newOnes) {
      return compareTexts(one, other, 'has too many alternatives to compare, and changed');
    }
    const isPlain = oldOnes.length === 1 && newOnes.length === 1;
    if (!isPlain && sameMeaning(one, other)) return [];
    return yield* compareAlternatives({ ...comparison, depth }, { one, other, oldOnes, newOnes });
  }

  const sameMeaning = (one: Conjunction, other: Conjunction): boolean =>
    budget.meaningOf(one, before) === budget.meaningOf(other, after);

  function compareTexts(one: Conjunction, other: Conjunction, text: string): SchemaChange[] {
    return sameMeaning(one, other) ? [] : [{ effect: 'narrowed', code: 'not_compared', path: '', text }];
  }

  try {
    return yield* comparison.compare([before], [after], 0);
  } catch (error) {
    if (!(error instanceof TooMuchToCompare)) throw error;
    const text = 'changed, and is too large to be compared in full';
    return [{ effect: 'narrowed', code: 'not_compared', path: '', text }];
  }
}
