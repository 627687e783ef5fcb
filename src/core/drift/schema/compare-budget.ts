import { runAtOnce } from '../../slices.ts';
import { canonicalJson } from '../canonical-json.ts';
import { isObject, resolveRef } from './schema-node.ts';

/** Thrown when a comparison has done as much as it may; caught where it was begun. */
export class TooMuchToCompare extends Error {}

/** What one comparison may do, and what it has found out already: what is met again costs nothing. */
export class CompareBudget {
  #steps: number;
  readonly #ids = new Map<object, number>();
  readonly #texts = new Map<unknown, string>();

  constructor(maxSteps: number) {
    this.#steps = maxSteps;
  }

  /** Throws TooMuchToCompare once everything is used up. */
  take(steps = 1): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new TooMuchToCompare();
  }

  /** A name for a list of schemas that hold together, whatever their order. */
  nameOf(schemas: readonly object[]): string {
    return schemas
      .map((schema) => {
        const id = this.#ids.get(schema) ?? this.#ids.size;
        this.#ids.set(schema, id);
        return id;
      })
      .sort((one, other) => one - other)
      .join('+');
  }

  /** The canonical text of a value. */
  textOf(value: unknown): string {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const text = runAtOnce(canonicalJson(value));
    this.take(1 + (text.length >> 8));
    if (isObject(value) || Array.isArray(value)) this.#texts.set(value, text);
    return text;
  }

  /** The same with what its references lead to, so that a rule changes when what it refers to does. */
  meaningOf(value: unknown, root: unknown): string {
    const texts = [this.textOf(value)];
    const seen = new Set<unknown>([value]);
    const open: unknown[] = [value];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      this.take();
      if (typeof at !== 'object' || at === null) continue;
      const ref = isObject(at) ? at.$ref : undefined;
      const next: unknown[] = Object.values(at);
      if (typeof ref === 'string') {
        const target = resolveRef(root, ref);
        if (target !== undefined && !seen.has(target)) texts.push(this.textOf(target));
        next.push(target);
      }
      for (const child of next) {
        if (typeof child !== 'object' || child === null || seen.has(child)) continue;
        seen.add(child);
        open.push(child);
      }
    }
    return texts.join('\n');
  }
}
