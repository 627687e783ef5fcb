/** A map that keeps what was asked for last, and forgets the rest. */
export interface KeptMap<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
}

export function createKeptMap<Value>(maxEntries: number): KeptMap<Value> {
  const entries = new Map<string, Value>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      // A Map lists its keys in the order of their coming: the first is the one longest unused.
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    delete(key) {
      entries.delete(key);
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      const oldest = entries.keys().next();
      if (entries.size > maxEntries && !oldest.done) entries.delete(oldest.value);
    },
  };
}
