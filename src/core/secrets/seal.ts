import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { SealingKey } from './keys.ts';

/**
 * How credentials are kept in the registry: the whole of `auth_config` is one AES-256-GCM value, in the
 * place where it stood, as `{"sealed": "v1.<key id>.<nonce>.<ciphertext>.<tag>"}` (base64url).
 */
export interface SealedConfig {
  sealed: string;
}

/** Where a sealed value belongs. It opens nowhere else, so that nobody can move it to a row of his own. */
export interface SealPlace {
  serverId: string;
  tenantId: string | null;
}

export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';
const SCHEME = 'v1';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether an `auth_config` claims to be sealed, well made or not. */
export function isSealed(authConfig: unknown): authConfig is Record<string, unknown> {
  return isObject(authConfig) && 'sealed' in authConfig;
}

const placeBytes = ({ serverId, tenantId }: SealPlace) =>
  Buffer.from(JSON.stringify(['mcp-vitals', SCHEME, tenantId, serverId]));

/** Seals what `auth_config` holds. `nonce` is 12 random bytes, never used twice with one key. */
export function sealConfig(
  authConfig: unknown,
  { id, key }: SealingKey,
  place: SealPlace,
  nonce: Uint8Array,
): SealedConfig {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeBytes(place));
  const text = Buffer.concat([cipher.update(JSON.stringify(authConfig), 'utf8'), cipher.final()]);
  const parts = [Buffer.from(nonce), text, cipher.getAuthTag()].map((part) => part.toString('base64url'));
  return { sealed: [SCHEME, id, ...parts].join('.') };
}

/** What became of opening: the `auth_config` that was sealed, or why it stays shut; never a secret. */
export type Opened = { authConfig: unknown; keyId: string } | { problem: string };

/** Opens a sealed `auth_config` with whichever of `keys` sealed it. */
export function openConfig(
  sealed: Record<string, unknown>,
  keys: readonly SealingKey[],
  place: SealPlace,
): Opened {
  if (Object.keys(sealed).length > 1) return { problem: 'auth_config holds more than its sealed value' };
  const parts = typeof sealed.sealed === 'string' ? sealed.sealed.split('.') : [];
  const [scheme, keyId = '', nonceText = '', text = '', tagText = ''] = parts;
  if (parts.length !== 5 || scheme !== SCHEME)
    return { problem: 'the sealed value is not of a form we know' };
  const held = keys.find(({ id }) => id === keyId);
  if (!held) {
    if (keys.length === 0) return { problem: 'it is sealed, and VITALS_SECRET_KEY is not set' };
    return { problem: `it is sealed with the key ${keyId.slice(0, 32)}, which VITALS_SECRET_KEY lacks` };
  }
  const nonce = Buffer.from(nonceText, 'base64url');
  const tag = Buffer.from(tagText, 'base64url');
  if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES)
    return { problem: 'the sealed value is not of a form we know' };
  try {
    const decipher = createDecipheriv(ALGORITHM, held.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(placeBytes(place));
    decipher.setAuthTag(tag);
    const plain = Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]);
    return { authConfig: JSON.parse(plain.toString('utf8')), keyId };
  } catch {
    // What OpenSSL says of it is the same for each of these; which of them it was nobody can know.
    return {
      problem: `the key ${keyId} does not open it: it was changed, sealed for another server or tenant, or with another key of that id`,
    };
  }
}

/** The id of the key that a sealed value says it needs; null when it has no such form. */
export function keyIdOf(sealed: Record<string, unknown>): string | null {
  if (typeof sealed.sealed !== 'string') return null;
  const [scheme, keyId] = sealed.sealed.split('.');
  return scheme === SCHEME && keyId !== undefined ? keyId : null;
}
