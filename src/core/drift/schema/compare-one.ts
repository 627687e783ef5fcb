import type { Sliced } from '../../slices.ts';
import { compareArrays } from './compare-arrays.ts';
import { compareLimits } from './compare-limits.ts';
import { compareObjects } from './compare-objects.ts';
import { compareRules } from './compare-rules.ts';
import type { Comparison } from './comparison.ts';
import type { Conjunction } from './conjunction.ts';
import { describeTypes, textsOf, typesOf, valuesOf } from './facets.ts';
import type { SchemaChange } from './schema-change.ts';

/** Compares two schemas that have one alternative each. */
export function* compareOne(
  comparison: Comparison,
  before: Conjunction,
  after: Conjunction,
): Sliced<SchemaChange[]> {
  const { budget } = comparison;
  const oldValues = valuesOf(before, budget);
  const newValues = valuesOf(after, budget);
  const [oldTypes, newTypes] = [typesOf(before, oldValues), typesOf(after, newValues)];
  const changes: SchemaChange[] = [];
  const add = (effect: SchemaChange['effect'], code: SchemaChange['code'], text: string): void => {
    changes.push({ effect, code, path: '', text });
  };

  if (oldValues && newValues) {
    const gone = [...oldValues.keys()].filter((text) => !newValues.has(text));
    const come = [...newValues.keys()].filter((text) => !oldValues.has(text));
    if (gone.length > 0) add('narrowed', 'values_removed', `no longer takes ${listed(gone)}`);
    if (come.length > 0) add('widened', 'values_added', `also takes ${listed(come)}`);
  } else {
    const lost = [...oldTypes].some((type) => !newTypes.has(type));
    const won = [...newTypes].some((type) => !oldTypes.has(type));
    if (newValues) add('narrowed', 'values_removed', `takes only ${listed([...newValues.keys()])}`);
    if (oldValues) add('widened', 'values_added', 'takes more than a list of values');
    const [from, to] = [describeTypes(oldTypes), describeTypes(newTypes)];
    if (lost && !newValues) add('narrowed', 'type_changed', `changed its type from ${from} to ${to}`);
    else if (won && !oldValues) add('widened', 'type_changed', `takes ${to} in place of ${from}`);
  }
  const both = new Set([...oldTypes].filter((type) => newTypes.has(type)));
  changes.push(...compareLimits(before, after, both));
  if (both.has('array')) changes.push(...(yield* compareArrays(comparison, before, after)));
  if (both.has('object')) changes.push(...(yield* compareObjects(comparison, before, after)));
  changes.push(...compareRules(comparison, before, after));
  compareDefaults(comparison, before, after, add);
  for (const keyword of ['description', 'title']) {
    if (textsOf(before, keyword).join('\n') !== textsOf(after, keyword).join('\n')) {
      add('noted', 'description_changed', `has another ${keyword}`);
    }
  }
  return changes;
}

const MAX_LISTED = 5;

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, MAX_LISTED).map((text) => (text.length > 60 ? `${text.slice(0, 59)}…` : text));
  const more = texts.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Another default gives calls that leave the value out another meaning; nobody relied on one that is new. */
function compareDefaults(
  { budget }: Comparison,
  before: Conjunction,
  after: Conjunction,
  add: (effect: SchemaChange['effect'], code: SchemaChange['code'], text: string) => void,
): void {
  const defaultOf = (conjunction: Conjunction): string | null => {
    const holder = conjunction.find((schema) => Object.hasOwn(schema, 'default'));
    return holder ? budget.textOf(holder.default) : null;
  };
  const [from, to] = [defaultOf(before), defaultOf(after)];
  if (from === to) return;
  if (from !== null && to !== null) {
    add('narrowed', 'default_changed', `defaults to ${listed([to])} in place of ${listed([from])}`);
  } else {
    add(
      'noted',
      'default_changed',
      to === null ? 'has no default any more' : `has a default, ${listed([to])}`,
    );
  }
}
