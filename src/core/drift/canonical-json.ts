import { createHash } from 'node:crypto';
import { type Sliced, sortSliced } from '../slices.ts';

/**
 * The scheme of every hash here: JSON text with the members of each object sorted by their names' UTF-16
 * units, numbers and strings as RFC 8785 writes them, nothing left out; SHA-256 of its UTF-8. It is a
 * part of each hash, so that a hash of another scheme is never taken for a change.
 */
export const HASH_SCHEME = 'v2';

/** Values written between two pauses. */
const VALUES_A_SLICE = 500;
/** Text that is collected before it goes into the hash. */
const FLUSH_LENGTH = 16 * 1024;

const byUnits = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

type Container =
  | { close: ']'; values: readonly unknown[]; next: number }
  | { close: '}'; keys: readonly string[]; object: object; next: number };

/**
 * Writes canonical JSON piece by piece, without recursion: what is nested 20,000 levels deep is written
 * like anything else, and two values that differ below that still differ.
 */
export function* writeCanonical(value: unknown, write: (text: string) => void): Sliced<void> {
  const open: Container[] = [];
  let text = '';
  let count = 0;
  let current: unknown = value;
  for (;;) {
    if (typeof current === 'object' && current !== null) {
      if (Array.isArray(current)) {
        text += '[';
        open.push({ close: ']', values: current, next: 0 });
      } else {
        text += '{';
        const keys = Object.keys(current);
        const sorted = keys.length <= 500 ? keys.sort(byUnits) : yield* sortSliced(keys, byUnits);
        open.push({ close: '}', keys: sorted, object: current, next: 0 });
      }
    } else {
      text += JSON.stringify(current) ?? 'null';
    }
    count += 1;
    if (text.length >= FLUSH_LENGTH || count % VALUES_A_SLICE === 0) {
      write(text);
      text = '';
      yield;
    }
    let top = open.at(-1);
    while (top && top.next >= (top.close === ']' ? top.values.length : top.keys.length)) {
      text += top.close;
      open.pop();
      top = open.at(-1);
    }
    if (!top) break;
    if (top.next > 0) text += ',';
    if (top.close === ']') {
      current = top.values[top.next];
    } else {
      const key = top.keys[top.next] ?? '';
      text += `${JSON.stringify(key)}:`;
      current = Reflect.get(top.object, key);
    }
    top.next += 1;
  }
  write(text);
}

/** The canonical JSON of a value as one text. */
export function* canonicalJson(value: unknown): Sliced<string> {
  const parts: string[] = [];
  yield* writeCanonical(value, (text) => parts.push(text));
  return parts.join('');
}

export interface Digest {
  /** `v2:` and 43 characters of base64url. */
  hash: string;
  /** The length of its canonical JSON in UTF-8. */
  bytes: number;
  /** The canonical JSON; null when it is longer than what is kept. */
  body: string | null;
}

/** The identity of a value, and its text when that is no longer than `maxBodyBytes`. */
export function* digestJson(value: unknown, maxBodyBytes: number): Sliced<Digest> {
  const parts: string[] = [];
  let hash: ReturnType<typeof createHash> | null = null;
  let bytes = 0;
  const flush = (text: string): void => {
    hash ??= createHash('sha256');
    hash.update(text);
  };
  yield* writeCanonical(value, (text) => {
    bytes += Buffer.byteLength(text);
    if (bytes <= maxBodyBytes) {
      parts.push(text);
      return;
    }
    for (const part of parts.splice(0)) flush(part);
    flush(text);
  });
  const body = bytes <= maxBodyBytes ? parts.join('') : null;
  if (body !== null) flush(body);
  return { hash: `${HASH_SCHEME}:${digestOf(hash)}`, bytes, body };
}

const digestOf = (hash: ReturnType<typeof createHash> | null): string =>
  (hash ?? createHash('sha256')).digest('base64url');
