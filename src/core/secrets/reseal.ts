import type { SealingKey } from './keys.ts';
import { isSealed, openConfig, type SealPlace, sealConfig } from './seal.ts';

/** What is to be done with one stored `auth_config`. */
export type Resealing =
  /** Nothing: it is sealed with this key, or it is plain and only sealed ones were meant. */
  | { state: 'kept'; keyId: string | null }
  /** It is to be replaced by `text`. `from` is the key that sealed it before; null when it was plain. */
  | { state: 'replaced'; text: string; from: string | null }
  | { state: 'unreadable'; problem: string };

export interface ResealingRules {
  keys: readonly SealingKey[];
  /** Seal what is plain. */
  plain: boolean;
  /** Seal anew what another key than the first one sealed. */
  stale: boolean;
  /** Twelve random bytes. */
  newNonce: () => Uint8Array;
}

/** Decides about one value as it stands in the registry. */
export function reseal(stored: string, place: SealPlace, rules: ResealingRules): Resealing {
  const { keys, plain, stale, newNonce } = rules;
  const [first] = keys;
  let authConfig: unknown;
  try {
    authConfig = JSON.parse(stored);
  } catch {
    return { state: 'unreadable', problem: 'auth_config is no JSON' };
  }
  const seal = (value: unknown, from: string | null): Resealing =>
    first
      ? { state: 'replaced', text: JSON.stringify(sealConfig(value, first, place, newNonce())), from }
      : { state: 'kept', keyId: from };
  if (!isSealed(authConfig)) return plain ? seal(authConfig, null) : { state: 'kept', keyId: null };
  const opened = openConfig(authConfig, keys, place);
  if ('problem' in opened) return { state: 'unreadable', problem: opened.problem };
  return stale && opened.keyId !== first?.id
    ? seal(opened.authConfig, opened.keyId)
    : { state: 'kept', keyId: opened.keyId };
}
