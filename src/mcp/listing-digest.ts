import { createHash, type Hash, hash } from 'node:crypto';
import type { InventoryKind } from '../core/outcome.ts';

/** Of the messages that brought a listing, as they came: the same listing sent again has the same digest. */
export class ListingDigest {
  #isComplete = true;
  #first: string | null = null;
  #hash: Hash | null = null;

  /** The text of a message; without it there is no digest of the whole. */
  add(kind: InventoryKind, text: string | undefined): void {
    if (text === undefined) {
      this.#isComplete = false;
      return;
    }
    const part = `\n${kind} ${text.length}\n${text}`;
    if (this.#hash) {
      this.#hash.update(part);
    } else if (this.#first === null) {
      this.#first = part;
    } else {
      this.#hash = createHash('sha256').update(this.#first).update(part);
    }
  }

  /** SHA-256 in base64url; null when it is not of the whole. */
  end(): string | null {
    if (!this.#isComplete) return null;
    // Most listings are one message, and an object for it would cost more than the hash.
    return this.#hash ? this.#hash.digest('base64url') : hash('sha256', this.#first ?? '', 'base64url');
  }
}
