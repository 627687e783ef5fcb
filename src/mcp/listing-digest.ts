import { createHash } from 'node:crypto';
import type { InventoryKind } from '../core/outcome.ts';

/** Of the messages that brought a listing, as they came: the same listing sent again has the same digest. */
export class ListingDigest {
  #isComplete = true;
  readonly #hash = createHash('sha256');

  /** The text of a message; without it there is no digest of the whole. */
  add(kind: InventoryKind, text: string | undefined): void {
    if (text === undefined) this.#isComplete = false;
    else this.#hash.update(`\n${kind} ${text.length}\n`).update(text);
  }

  end(): string | null {
    return this.#isComplete ? this.#hash.digest('base64url') : null;
  }
}
