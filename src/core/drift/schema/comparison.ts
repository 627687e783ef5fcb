import type { Sliced } from '../../slices.ts';
import type { CompareBudget } from './compare-budget.ts';
import type { Conjunction } from './conjunction.ts';
import type { SchemaChange } from './schema-change.ts';

/** What the parts of a comparison share. */
export interface Comparison {
  budget: CompareBudget;
  oldRoot: unknown;
  newRoot: unknown;
  depth: number;
  /** Compares what lies below; the paths of what it finds begin there. */
  compare(before: readonly unknown[], after: readonly unknown[], depth: number): Sliced<SchemaChange[]>;
  compareOne(before: Conjunction, after: Conjunction, depth: number): Sliced<SchemaChange[]>;
}
