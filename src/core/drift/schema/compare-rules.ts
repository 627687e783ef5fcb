import type { Comparison } from './comparison.ts';
import type { Conjunction } from './conjunction.ts';
import type { SchemaChange } from './schema-change.ts';
import { isNothing, resolveRef } from './schema-node.ts';

/** Keywords whose effect is not worked out: another text may refuse what was taken. */
const RULES = [
  'not',
  'if',
  'then',
  'else',
  'contains',
  'minContains',
  'maxContains',
  'propertyNames',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'unevaluatedItems',
  'contentEncoding',
  'contentMediaType',
] as const;

/** Compares by their meaning's text what is compared in no finer way. */
export function compareRules(
  { budget, oldRoot, newRoot }: Comparison,
  before: Conjunction,
  after: Conjunction,
): SchemaChange[] {
  const changes: SchemaChange[] = [];
  for (const rule of [...RULES, '$ref'] as const) {
    const textOf = (conjunction: Conjunction, root: unknown): string =>
      conjunction
        .filter((schema) => schema[rule] !== undefined)
        // A reference that leads somewhere was followed, and `not: {}` is what allows nothing.
        .filter((schema) => rule !== '$ref' || resolveRef(root, String(schema.$ref)) === undefined)
        .filter((schema) => rule !== 'not' || !isNothing(schema))
        .map((schema) => budget.meaningOf(schema[rule], root))
        .sort()
        .join('\n');
    const [from, to] = [textOf(before, oldRoot), textOf(after, newRoot)];
    if (from === to) continue;
    const text = to === '' ? `has no rule \`${rule}\` any more` : `has another rule \`${rule}\``;
    changes.push({ effect: to === '' ? 'widened' : 'narrowed', code: 'rule_changed', path: '', text });
  }
  return changes;
}
