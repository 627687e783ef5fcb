import type { Sliced } from '../../slices.ts';
import type { Comparison } from './comparison.ts';
import type { Conjunction } from './conjunction.ts';
import { objectFacetsOf } from './facets.ts';
import type { SchemaChange } from './schema-change.ts';

/** Puts what was found below a member or an item under its path. */
export function below(step: string, changes: readonly SchemaChange[]): SchemaChange[] {
  return changes.map((change) => ({ ...change, path: join(step, change.path) }));
}

function join(step: string, path: string): string {
  if (path === '') return step;
  return path.startsWith('[') ? `${step}${path}` : `${step}.${path}`;
}

/** Names that would make a path hard to read are quoted; long ones are cut. */
function stepOf(name: string): string {
  const short = name.length > 100 ? `${name.slice(0, 99)}…` : name;
  return /^[\p{L}\p{N}_$-]+$/u.test(short) ? short : JSON.stringify(short);
}

/** Members: gone, new, needed, and what they hold. */
export function* compareObjects(
  { budget, compare, depth }: Comparison,
  before: Conjunction,
  after: Conjunction,
): Sliced<SchemaChange[]> {
  const [old, now] = [objectFacetsOf(before, budget), objectFacetsOf(after, budget)];
  const changes: SchemaChange[] = [];
  const add = (
    effect: SchemaChange['effect'],
    code: SchemaChange['code'],
    path: string,
    text: string,
  ): void => {
    changes.push({ effect, code, path, text });
  };
  for (const [name, schemas] of old.properties) {
    const step = stepOf(name);
    const successor = now.properties.get(name);
    if (!successor) {
      add('narrowed', 'property_removed', step, 'is gone');
      continue;
    }
    if (now.required.has(name) && !old.required.has(name))
      add('narrowed', 'required_added', step, 'became required');
    if (!now.required.has(name) && old.required.has(name)) {
      add('widened', 'required_removed', step, 'is not required any more');
    }
    changes.push(...below(step, yield* compare(schemas, successor, depth + 1)));
  }
  for (const [name, schemas] of now.properties) {
    if (old.properties.has(name)) continue;
    const step = stepOf(name);
    // Required and not described: callers send it already, with what every other member may be.
    if (old.required.has(name)) changes.push(...below(step, yield* compare(old.others, schemas, depth + 1)));
    else if (now.required.has(name)) add('narrowed', 'required_added', step, 'is new and required');
    else add('widened', 'property_added', step, 'is new');
  }
  for (const name of now.required) {
    const isKnown = old.required.has(name) || old.properties.has(name) || now.properties.has(name);
    if (!isKnown) add('narrowed', 'required_added', stepOf(name), 'became required');
  }
  if (!old.closed && now.closed)
    add('narrowed', 'closed', '', 'takes no members but the named ones any more');
  if (old.closed && !now.closed) add('widened', 'opened', '', 'takes members beside the named ones');
  if (!old.closed && !now.closed && (old.others.length > 0 || now.others.length > 0)) {
    changes.push(...below('*', yield* compare(old.others, now.others, depth + 1)));
  }
  for (const [pattern, schemas] of now.patterns) {
    const known = old.patterns.get(pattern);
    const step = stepOf(`/${pattern}/`);
    if (known) changes.push(...below(step, yield* compare(known, schemas, depth + 1)));
    else add(old.closed ? 'widened' : 'narrowed', 'rule_changed', step, 'has a rule of its own now');
  }
  for (const pattern of old.patterns.keys()) {
    if (now.patterns.has(pattern)) continue;
    add(
      now.closed ? 'narrowed' : 'widened',
      'rule_changed',
      stepOf(`/${pattern}/`),
      'has no rule of its own any more',
    );
  }
  return changes;
}
