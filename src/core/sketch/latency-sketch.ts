/**
 * How many durations fell into which bin: mergeable by adding, and good for any quantile with a relative
 * error of `SKETCH_ERROR`. Bins grow by `GROWTH`; bin 0 is everything too short to measure, and what is
 * absurd falls into the last one. Kept as sorted numbers `bin * 2^40 + count`, which PostgreSQL holds as a
 * bigint[] and merges by itself.
 */
export type LatencySketch = readonly number[];

export const GROWTH = 1.02;
/** What is read from a sketch is off by this share of the true value at most, either way. */
export const SKETCH_ERROR = (GROWTH - 1) / (GROWTH + 1);
/** In milliseconds: shorter ones count as nothing. */
export const SHORTEST_MS = 0.01;
/** In milliseconds, some eleven days: longer ones count as this. */
export const LONGEST_MS = 1e9;
export const LOG_GROWTH = Math.log(GROWTH);
export const LAST_BIN = Math.ceil(Math.log(LONGEST_MS / SHORTEST_MS) / LOG_GROWTH);
/** A count takes the lower 40 bits. */
export const COUNT_SPAN = 2 ** 40;

/** The bin of a duration in milliseconds: 0 to LAST_BIN. */
export function binOf(ms: number): number {
  if (!(ms > SHORTEST_MS)) return 0;
  return Math.min(LAST_BIN, Math.max(1, Math.ceil(Math.log(ms / SHORTEST_MS) / LOG_GROWTH)));
}

/** The duration that a bin stands for, in milliseconds: off by the same share of either end. */
export const middleOf = (bin: number): number =>
  bin === 0 ? 0 : (SHORTEST_MS * 2 * GROWTH ** bin) / (GROWTH + 1);

const partsOf = (entry: number): { bin: number; count: number } => ({
  bin: Math.floor(entry / COUNT_SPAN),
  count: entry % COUNT_SPAN,
});

function encode(counts: Map<number, number>): LatencySketch {
  return [...counts]
    .sort(([one], [other]) => one - other)
    .map(([bin, count]) => bin * COUNT_SPAN + Math.min(count, COUNT_SPAN - 1));
}

export function sketchOf(durationsMs: Iterable<number>): LatencySketch {
  const counts = new Map<number, number>();
  for (const ms of durationsMs) counts.set(binOf(ms), (counts.get(binOf(ms)) ?? 0) + 1);
  return encode(counts);
}

export function mergeSketches(...sketches: readonly LatencySketch[]): LatencySketch {
  const counts = new Map<number, number>();
  for (const entry of sketches.flat()) {
    const { bin, count } = partsOf(entry);
    counts.set(bin, (counts.get(bin) ?? 0) + count);
  }
  return encode(counts);
}

/** How many durations it has seen. */
export const countOf = (sketch: LatencySketch): number =>
  sketch.reduce((sum, entry) => sum + partsOf(entry).count, 0);

/** The duration that this share of them does not exceed, in milliseconds; null for an empty sketch. */
export function quantileOf(sketch: LatencySketch, share: number): number | null {
  const rank = Math.max(1, Math.ceil(share * countOf(sketch)));
  let reached = 0;
  for (const entry of sketch) {
    const { bin, count } = partsOf(entry);
    reached += count;
    if (reached >= rank) return middleOf(bin);
  }
  return null;
}
