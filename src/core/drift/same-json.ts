import { runAtOnce } from '../slices.ts';
import { canonicalJson } from './canonical-json.ts';

/** Whether two parts of stored definitions, which are bounded, are the same JSON. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== typeof other || typeof one !== 'object') return false;
  return runAtOnce(canonicalJson(one)) === runAtOnce(canonicalJson(other));
}
