/** Every text in a value, names of members included, each once; without recursion, whatever its depth. */
export function textsIn(value: unknown): Set<string> {
  const texts = new Set<string>();
  const open: unknown[] = [value];
  while (open.length > 0) {
    const at = open.pop();
    if (typeof at === 'string') texts.add(at);
    else if (Array.isArray(at)) for (const item of at) open.push(item);
    else if (typeof at === 'object' && at !== null) {
      for (const [name, item] of Object.entries(at)) {
        texts.add(name);
        open.push(item);
      }
    }
  }
  return texts;
}
