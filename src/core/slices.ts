/**
 * Work on something that others sent and that may be huge, in slices: it yields whenever it has done a
 * little, a millisecond's worth at most, so that whoever runs it may see to other things in between.
 */
export type Sliced<Result> = Generator<undefined, Result, undefined>;

/** Runs it in one go: for what is known to be small. */
export function runAtOnce<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** How work is interrupted: a pause lets everything else have its turn. */
export interface SlicePace {
  budgetMs: number;
  nowMs(): number;
  pause(): Promise<unknown>;
}

/** Runs it for `budgetMs` at a time, with pauses. */
export async function runInSlices<Result>(work: Sliced<Result>, pace: SlicePace): Promise<Result> {
  let until = pace.nowMs() + pace.budgetMs;
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (pace.nowMs() < until) continue;
    await pace.pause();
    until = pace.nowMs() + pace.budgetMs;
  }
}

/**
 * Turns at something that only one may have at a time: `schedule` calls back once everything else has had
 * its turn, and each time one of those who wait goes on. So many of them hold nobody up longer than one.
 */
export function createTurns(schedule: (callback: () => void) => void): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let from = 0;
  const next = (): void => {
    const go = waiting[from];
    from += 1;
    if (from < waiting.length) schedule(next);
    else {
      waiting.length = 0;
      from = 0;
    }
    go?.();
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length - from === 1) schedule(next);
    });
}

/** What is sorted at once: a fraction of a millisecond. */
const RUN_LENGTH = 500;

/** A sorted copy; equal items keep their order. */
export function* sortSliced<Item>(
  items: readonly Item[],
  compare: (one: Item, other: Item) => number,
): Sliced<Item[]> {
  if (items.length <= RUN_LENGTH) return [...items].sort(compare);
  let runs: Item[][] = [];
  for (let from = 0; from < items.length; from += RUN_LENGTH) {
    runs.push(items.slice(from, from + RUN_LENGTH).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(yield* mergeSliced(runs[at] ?? [], runs[at + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergeSliced<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compare: (one: Item, other: Item) => number,
): Sliced<Item[]> {
  const merged: Item[] = [];
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const [one, other] = [left[l], right[r]];
    const takesLeft = r >= right.length || (l < left.length && compare(one as Item, other as Item) <= 0);
    merged.push((takesLeft ? one : other) as Item);
    if (takesLeft) l += 1;
    else r += 1;
    if (merged.length % 2_000 === 0) yield;
  }
  return merged;
}
