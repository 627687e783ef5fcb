import type { Sliced } from '../../slices.ts';
import { below } from './compare-objects.ts';
import type { Comparison } from './comparison.ts';
import type { Conjunction } from './conjunction.ts';
import { arrayFacetsOf } from './facets.ts';
import type { SchemaChange } from './schema-change.ts';

/** Items: the first ones each by its place, then all the others. */
export function* compareArrays(
  { budget, compare, depth }: Comparison,
  before: Conjunction,
  after: Conjunction,
): Sliced<SchemaChange[]> {
  const [old, now] = [arrayFacetsOf(before, budget), arrayFacetsOf(after, budget)];
  const changes: SchemaChange[] = [];
  const places = Math.max(old.first.length, now.first.length);
  for (let place = 0; place < places; place += 1) {
    const [one, other] = [old.first[place] ?? old.rest, now.first[place] ?? now.rest];
    changes.push(...below(`[${place}]`, yield* compare(one, other, depth + 1)));
  }
  if (old.rest.length > 0 || now.rest.length > 0) {
    changes.push(...below('[]', yield* compare(old.rest, now.rest, depth + 1)));
  }
  return changes;
}
