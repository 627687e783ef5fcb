import { ceilTo, floorTo, GRAIN_MS, TIERS, type Tier, type TierSince } from './tiers.ts';

/** Buckets of one tier that follow one another. */
export interface Segment {
  tier: Tier;
  /** The beginning of the first bucket, in milliseconds since 1970. */
  fromMs: number;
  /** The end of the last one. */
  toMs: number;
}

/**
 * The buckets that make up a range: whole days, and towards each end shifts, hours and minutes, as far as
 * these are still there. What does not fall on a bucket's bound is widened to the finest bucket that there is.
 * In order, without gaps or overlaps; empty for an empty range.
 */
export function coverRange(fromMs: number, toMs: number, since: TierSince): Segment[] {
  return fromMs < toMs ? joinNeighbours(cover(fromMs, toMs, TIERS.length - 1, since)) : [];
}

function cover(fromMs: number, toMs: number, place: number, since: TierSince): Segment[] {
  const tier = TIERS[place];
  if (tier === undefined) return [];
  const grainMs = GRAIN_MS[tier];
  const finer = TIERS[place - 1];
  const finerHas = (atMs: number): boolean => finer !== undefined && since[finer] <= atMs;
  const firstMs = ceilTo(fromMs, grainMs);
  const endMs = floorTo(toMs, grainMs);
  if (firstMs > endMs)
    return finerHas(fromMs)
      ? cover(fromMs, toMs, place - 1, since)
      : [{ tier, fromMs: floorTo(fromMs, grainMs), toMs: ceilTo(toMs, grainMs) }];
  const segments: Segment[] = [];
  if (fromMs < firstMs) {
    if (finerHas(fromMs)) segments.push(...cover(fromMs, firstMs, place - 1, since));
    else segments.push({ tier, fromMs: floorTo(fromMs, grainMs), toMs: firstMs });
  }
  if (firstMs < endMs) segments.push({ tier, fromMs: firstMs, toMs: endMs });
  if (endMs < toMs) {
    if (finerHas(endMs)) segments.push(...cover(endMs, toMs, place - 1, since));
    else segments.push({ tier, fromMs: endMs, toMs: ceilTo(toMs, grainMs) });
  }
  return segments;
}

function joinNeighbours(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined[joined.length - 1];
    if (last && last.tier === segment.tier && last.toMs === segment.fromMs) last.toMs = segment.toMs;
    else joined.push({ ...segment });
  }
  return joined;
}
