import type { Sliced } from './slices.ts';

/** Below this many comparisons in the worst case, the engine's own search is done at once. */
const AT_ONCE = 500_000;
/** What is compared before others have their turn. */
const SLICE = 50_000;

/**
 * Replaces one text in others, in time that grows with their lengths alone: the engine's own search takes the
 * product of both lengths for texts that are made for it, seconds for megabytes.
 */
export class TextReplacer {
  readonly length: number;
  readonly #wanted: string;
  /** How much of the wanted text still holds where its next character does not; made when it is needed. */
  #fallbacks: Int32Array | null = null;

  constructor(wanted: string) {
    this.#wanted = wanted;
    this.length = wanted.length;
  }

  /** The text with `substitute` for each place that does not overlap one before; itself when there is none. */
  *replace(text: string, substitute: string): Sliced<string> {
    const wanted = this.#wanted;
    if (wanted === '' || text.length < wanted.length) return text;
    if (text.length * wanted.length <= AT_ONCE)
      return text.includes(wanted) ? text.replaceAll(wanted, () => substitute) : text;
    const kept: string[] = [];
    let from = 0;
    for (const end of yield* this.#ends(text)) {
      kept.push(text.slice(from, end - wanted.length));
      from = end;
    }
    return kept.length === 0 ? text : [...kept, text.slice(from)].join(substitute);
  }

  /** Where it ends, each time, by the algorithm of Knuth, Morris and Pratt. */
  *#ends(text: string): Sliced<number[]> {
    const wanted = this.#wanted;
    const fallbacks = this.#fallbacks ?? (yield* this.#prepare());
    const ends: number[] = [];
    let held = 0;
    for (let at = 0; at < text.length; at += 1) {
      if (at % SLICE === SLICE - 1) yield;
      const code = text.charCodeAt(at);
      while (held > 0 && wanted.charCodeAt(held) !== code) held = fallbacks[held - 1] ?? 0;
      if (wanted.charCodeAt(held) === code) held += 1;
      if (held < wanted.length) continue;
      ends.push(at + 1);
      held = 0;
    }
    return ends;
  }

  *#prepare(): Sliced<Int32Array> {
    const wanted = this.#wanted;
    const fallbacks = new Int32Array(wanted.length);
    let held = 0;
    for (let at = 1; at < wanted.length; at += 1) {
      if (at % SLICE === 0) yield;
      const code = wanted.charCodeAt(at);
      while (held > 0 && wanted.charCodeAt(held) !== code) held = fallbacks[held - 1] ?? 0;
      if (wanted.charCodeAt(held) === code) held += 1;
      fallbacks[at] = held;
    }
    this.#fallbacks = fallbacks;
    return fallbacks;
  }
}
