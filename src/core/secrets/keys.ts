import { createSecretKey, type KeyObject } from 'node:crypto';

/** A key that seals credentials. A KeyObject shows nothing of itself where it is printed by mistake. */
export interface SealingKey {
  /** Stands in every value that the key sealed. */
  id: string;
  key: KeyObject;
}

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * Keys written as `id:base64,id2:base64`, the first of which seals while all of them open; undefined when
 * one is not 32 bytes, has no usable id, or an id of another.
 */
export function parseSealingKeys(text: string): SealingKey[] | undefined {
  const keys: SealingKey[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    const at = entry.indexOf(':');
    const id = entry.slice(0, Math.max(0, at));
    const encoded = entry.slice(at + 1);
    if (!KEY_ID.test(id) || !BASE64.test(encoded) || keys.some((known) => known.id === id)) return undefined;
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length !== KEY_BYTES) return undefined;
    keys.push({ id, key: createSecretKey(bytes) });
    bytes.fill(0);
  }
  return keys;
}
