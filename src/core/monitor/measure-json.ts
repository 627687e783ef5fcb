export interface JsonMeasure {
  /** Every value in it, itself included. */
  values: number;
  /** Of its texts and names. */
  characters: number;
  /** How deeply it is nested; a value without members is of depth 1. */
  depth: number;
}

/** How large a JSON value is; it looks at no more than a little over `maxValues`, and never recurses. */
export function measureJson(value: unknown, maxValues: number): JsonMeasure {
  const measure = { values: 0, characters: 0, depth: 0 };
  const open: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let next = open.pop(); next !== undefined && measure.values <= maxValues; next = open.pop()) {
    const { depth } = next;
    measure.values += 1;
    measure.depth = Math.max(measure.depth, depth);
    if (typeof next.value === 'string') measure.characters += next.value.length;
    if (typeof next.value !== 'object' || next.value === null) continue;
    // Members that no look is left for are not put aside either; one more shows that there are more.
    let left = maxValues - measure.values - open.length + 1;
    for (const name in next.value) {
      if (left-- < 0) break;
      if (!Array.isArray(next.value)) measure.characters += name.length;
      open.push({ value: Reflect.get(next.value, name), depth: depth + 1 });
    }
  }
  return measure;
}
