/** Edit distance with adjacent letters swapped counted as one. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The known name that was probably meant; undefined when none is near. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, cost: distance(name, candidate) }))
    .sort((a, b) => a.cost - b.cost);
  const best = ranked[0];
  return best && best.cost <= Math.max(2, Math.floor(name.length / 5)) ? best.candidate : undefined;
}

/** One warning for each VITALS_ name that nothing reads: a typing mistake would otherwise stay silent. */
export function warnOfUnknownNames(names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith('VITALS_') && !known.includes(name))
    .sort()
    .map((name) => {
      const meant = nearestName(name, known);
      return `${name} is not a variable of mcp-vitals${meant ? `: did you mean ${meant}?` : ''}`;
    });
}
