export const REDACTED = '[redacted]';

/** Shorter ones would black out ordinary words, and reveal themselves by the gaps. */
const SHORTEST = 6;

/** Values that must not be written anywhere; a value stays until everyone who added it has removed it. */
export interface Secrets {
  /** Registers a value; the returned function takes this registration back, and only once. */
  add(value: string): () => void;
  /** Whether serialised JSON may hold one of the values. */
  occurIn(json: string): boolean;
  /** The text with every occurrence replaced. */
  redact(text: string): string;
}

/** A fresh set of secrets, holding `initial` for good. */
export function createSecrets(initial: readonly string[] = []): Secrets {
  const counts = new Map<string, { count: number; json: string }>();

  function add(value: string): () => void {
    if (value.length < SHORTEST) return () => undefined;
    const known = counts.get(value);
    if (known) known.count += 1;
    else counts.set(value, { count: 1, json: JSON.stringify(value).slice(1, -1) });
    let registered = true;
    return () => {
      const entry = counts.get(value);
      if (!registered || !entry) return;
      registered = false;
      entry.count -= 1;
      if (entry.count === 0) counts.delete(value);
    };
  }

  function occurIn(json: string): boolean {
    for (const entry of counts.values()) if (json.includes(entry.json)) return true;
    return false;
  }

  function redact(text: string): string {
    // Longest first: one secret may be part of another, whose rest would then stay readable.
    const found = [...counts.keys()].filter((value) => text.includes(value));
    found.sort((a, b) => b.length - a.length);
    return found.reduce((rest, value) => rest.replaceAll(value, REDACTED), text);
  }

  for (const value of initial) add(value);
  return { add, occurIn, redact };
}
