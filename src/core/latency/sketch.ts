/**
 * A distribution of durations in a few numbers: weights in buckets whose bounds grow by a tenth, so
 * that a quantile is within 5% of the true one, whatever the scale. Older weights fade, so it follows
 * what changes; it is plain JSON, and of bounded size.
 */
export interface Sketch {
  /** How many durations it has seen. */
  n: number;
  /** Weight by bucket; bucket `i` ends at GROWTH^i milliseconds. */
  b: Record<string, number>;
}

const GROWTH = 1.1;
const LOG_GROWTH = Math.log(GROWTH);
/** No clock of ours measures less. */
const SHORTEST_MS = 0.1;
/** After so many durations of full weight, an old one counts for about a third. */
export const REMEMBERED = 200;
/** The slowest buckets are kept: they are what quantiles are asked of. */
const MAX_BUCKETS = 40;
const LEAST_WEIGHT = 0.005;

/** What a duration is kept as can be off by this share of it, either way. */
export const SKETCH_ERROR = (GROWTH - 1) / (GROWTH + 1);

export const EMPTY_SKETCH: Sketch = { n: 0, b: {} };

/** The sketch with one more duration in it; a weight below 1 lets it count, and fade others, for less. */
export function addDuration(sketch: Sketch, ms: number, weight = 1): Sketch {
  const bucket = String(Math.ceil(Math.log(Math.max(SHORTEST_MS, ms)) / LOG_GROWTH));
  const fade = 1 - weight / REMEMBERED;
  const faded = Object.entries(sketch.b).map(([key, old]): [string, number] => [key, old * fade]);
  const weights = new Map(faded);
  weights.set(bucket, (weights.get(bucket) ?? 0) + weight);
  const kept = [...weights]
    .filter(([, value]) => value >= LEAST_WEIGHT)
    .sort(([a], [b]) => Number(b) - Number(a))
    .slice(0, MAX_BUCKETS)
    .map(([key, value]): [string, number] => [key, Math.round(value * 10_000) / 10_000]);
  return { n: sketch.n + 1, b: Object.fromEntries(kept) };
}

/** The duration that this share of the weight does not exceed, in milliseconds; 0 for an empty sketch. */
export function quantileOf(sketch: Sketch, share: number): number {
  const buckets = Object.entries(sketch.b)
    .map(([key, weight]): [number, number] => [Number(key), weight])
    .sort(([a], [b]) => a - b);
  const wanted = share * buckets.reduce((sum, [, weight]) => sum + weight, 0);
  let reached = 0;
  for (const [bucket, weight] of buckets) {
    reached += weight;
    if (reached >= wanted) return middleOf(bucket);
  }
  return buckets.length === 0 ? 0 : middleOf(buckets[buckets.length - 1]?.[0] ?? 0);
}

/** The value that is off by the same share of the bucket's either end. */
const middleOf = (bucket: number): number => (2 * GROWTH ** bucket) / (GROWTH + 1);
