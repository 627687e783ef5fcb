import type { Definition, InventoryKind } from '../outcome.ts';
import type { Sliced } from '../slices.ts';
import type { Change } from './change.ts';
import type { Finding } from './rules/finding.ts';
import { findOrders } from './rules/gives-orders.ts';
import { findHidden } from './rules/hidden-unicode.ts';
import type { SuspiciousRule } from './rules/registry.ts';
import { findTurned } from './rules/turned-destructive.ts';
import { textsIn } from './texts-of.ts';

/** A change that a rule found. */
export function suspicious(
  kind: Change['kind'],
  key: string,
  rule: SuspiciousRule,
  { text }: Finding,
): Change {
  return { grade: 'suspicious', kind, key, code: rule, text };
}

/**
 * What a definition says that it did not say before; of one that is new, all that it says. At most one
 * finding a rule: the first is reason enough to look.
 */
export function* findSuspiciousTexts(
  kind: InventoryKind,
  key: string,
  before: Definition | null,
  after: Definition,
): Sliced<Change[]> {
  const known = before ? textsIn(before) : new Set<string>();
  const changes: Change[] = [];
  const found = new Set<SuspiciousRule>();
  for (const text of textsIn(after)) {
    if (known.has(text)) continue;
    if (text.length > 500) yield;
    for (const [rule, find] of TEXT_RULES) {
      if (found.has(rule)) continue;
      const finding = find(text);
      if (!finding) continue;
      found.add(rule);
      changes.push(suspicious(kind, key, rule, finding));
    }
  }
  if (before && kind === 'tools') {
    const turned = findTurned(before, after);
    if (turned) changes.push(suspicious(kind, key, 'turned_destructive', turned));
  }
  return changes;
}

const TEXT_RULES: readonly [SuspiciousRule, (text: string) => Finding | null][] = [
  ['description_gives_orders', findOrders],
  ['hidden_unicode', findHidden],
];
