/**
 * A distribution of durations in a few numbers: weights in buckets whose bounds grow by a tenth, so
 * that a quantile is within 5% of the true one, whatever the scale. Older weights fade, so it follows
 * what changes; it is plain JSON, and of bounded size.
 */
export interface Sketch {
  /** How many durations it has seen. */
  n: number;
  /** Weight by bucket: bucket 0 ends at SHORTEST_MS, each other one a tenth above the one before. */
  b: Record<string, number>;
}

const GROWTH = 1.1;
const LOG_GROWTH = Math.log(GROWTH);
/** No clock of ours measures less: what is shorter counts as this. */
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
  const bucket = Math.ceil(Math.log(Math.max(SHORTEST_MS, ms) / SHORTEST_MS) / LOG_GROWTH);
  const fade = 1 - weight / REMEMBERED;
  const b: Record<string, number> = {};
  let count = 0;
  for (const key in sketch.b) {
    const faded = round((sketch.b[key] ?? 0) * fade);
    if (faded < LEAST_WEIGHT) continue;
    b[key] = faded;
    count += 1;
  }
  if (b[bucket] === undefined) count += 1;
  b[bucket] = round((b[bucket] ?? 0) + weight);
  // Keys that are whole numbers come in their order: the first are the quickest.
  for (const key in b) {
    if (count <= MAX_BUCKETS) break;
    delete b[key];
    count -= 1;
  }
  return { n: sketch.n + 1, b };
}

const round = (weight: number): number => Math.round(weight * 10_000) / 10_000;

/** The duration that this share of the weight does not exceed, in milliseconds; 0 for an empty sketch. */
export function quantileOf(sketch: Sketch, share: number): number {
  let total = 0;
  for (const key in sketch.b) total += sketch.b[key] ?? 0;
  let reached = 0;
  let bucket = -1;
  for (const key in sketch.b) {
    bucket = Number(key);
    reached += sketch.b[key] ?? 0;
    if (reached >= share * total) break;
  }
  return bucket === -1 ? 0 : middleOf(bucket);
}

/** The value that is off by the same share of the bucket's either end. */
const middleOf = (bucket: number): number => (SHORTEST_MS * 2 * GROWTH ** bucket) / (GROWTH + 1);

/** Whether a value has the form of a sketch's buckets; by hand, since every probe reads some. */
export function areBuckets(value: unknown): value is Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let count = 0;
  for (const [key, weight] of Object.entries(value)) {
    count += 1;
    const bucket = Number(key);
    if (!Number.isInteger(bucket) || bucket < 0 || bucket > 999 || String(bucket) !== key) return false;
    if (typeof weight !== 'number' || !(weight >= 0 && weight <= 1e6)) return false;
  }
  return count <= MAX_BUCKETS;
}
