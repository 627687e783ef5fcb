/**
 * A distribution of response times that can be merged: how many there are in buckets whose bounds grow by
 * 2%, so that a quantile is within 1% of the true one, however many sketches were put together in whatever
 * order. As it is stored: pairs of bucket and count in one list, by bucket.
 */
export type LatencySketch = readonly number[];

/** A quantile is off by at most this share of the true value, for times of a millisecond and more. */
export const SKETCH_ERROR = 0.01;
const GROWTH = (1 + SKETCH_ERROR) / (1 - SKETCH_ERROR);
const LOG_GROWTH = Math.log(GROWTH);

/** Bucket 0 is of times below a millisecond, bucket n of those up to GROWTH ** (n - 1). */
const bucketOf = (ms: number): number => (ms < 1 ? 0 : Math.max(0, Math.ceil(Math.log(ms) / LOG_GROWTH)) + 1);

/** The value that is off by the same share of either end of its bucket. */
const middleOf = (bucket: number): number => (bucket === 0 ? 0 : (2 * GROWTH ** (bucket - 1)) / (GROWTH + 1));

/** The sketch of one response time, in milliseconds. */
export const sketchOf = (ms: number): LatencySketch => [bucketOf(ms), 1];

/** Both together. */
export function mergeSketches(one: LatencySketch, other: LatencySketch): LatencySketch {
  if (one.length === 0) return other;
  if (other.length === 0) return one;
  const merged: number[] = [];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    const a = one[left] ?? Number.POSITIVE_INFINITY;
    const b = other[right] ?? Number.POSITIVE_INFINITY;
    merged.push(Math.min(a, b), (a <= b ? (one[left + 1] ?? 0) : 0) + (b <= a ? (other[right + 1] ?? 0) : 0));
    if (a <= b) left += 2;
    if (b <= a) right += 2;
  }
  return merged;
}

/** The times that these shares of all do not exceed, in milliseconds; null for an empty sketch. */
export function quantilesOf(sketch: LatencySketch, shares: readonly number[]): (number | null)[] {
  let total = 0;
  for (let place = 1; place < sketch.length; place += 2) total += sketch[place] ?? 0;
  if (total === 0) return shares.map(() => null);
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total));
    let reached = 0;
    for (let place = 0; place < sketch.length; place += 2) {
      reached += sketch[place + 1] ?? 0;
      if (reached >= rank) return middleOf(sketch[place] ?? 0);
    }
    return null;
  });
}
