import type { Definition } from '../../outcome.ts';
import type { Finding } from './finding.ts';

const hint = (tool: Definition, name: string): unknown => {
  const { annotations } = tool;
  return typeof annotations === 'object' && annotations !== null ? Reflect.get(annotations, name) : undefined;
};

/**
 * turned_destructive: a tool that said it only reads, or destroys nothing, and says so no more. Without a
 * hint a tool counts as one that may destroy, so leaving the hint out is the same as taking it back.
 */
export function findTurned(before: Definition, after: Definition): Finding | null {
  const readsOnly = hint(after, 'readOnlyHint') === true;
  if (hint(before, 'readOnlyHint') === true && !readsOnly) {
    return { text: 'said that it only reads (readOnlyHint), and says so no more' };
  }
  const isHarmless = readsOnly || hint(after, 'destructiveHint') === false;
  if (hint(before, 'destructiveHint') === false && !isHarmless) {
    return { text: 'said that it destroys nothing (destructiveHint: false), and says so no more' };
  }
  return null;
}
