import { bucketOf, type HealthBucket, mergeBuckets } from './health-bucket.ts';
import { type PackedPoint, packPoint } from './history-point.ts';
import type { Check } from './judge-check.ts';
import { floorTo, GRAIN_MS, WEEK_MS } from './tiers.ts';

/** A bucket of a server that begins at `atMs`. */
export interface ServerBucket {
  serverId: string;
  atMs: number;
  bucket: HealthBucket;
}

/** One key for a server and a time. */
export const keyOf = ({ serverId, atMs }: { serverId: string; atMs: number }): string =>
  `${atMs} ${serverId}`;

/** Checks as the minutes that they make. */
export const minutesOf = (checks: readonly Check[]): ServerBucket[] =>
  fold(
    checks.map((check) => ({ serverId: check.serverId, atMs: check.atMs, bucket: bucketOf(check) })),
    GRAIN_MS.minute,
  );

/** Buckets put together into longer ones, each of which begins at a multiple of `grainMs`. */
export function fold(buckets: readonly ServerBucket[], grainMs: number): ServerBucket[] {
  const folded = new Map<string, ServerBucket>();
  for (const { serverId, atMs, bucket } of buckets) {
    const place = { serverId, atMs: floorTo(atMs, grainMs) };
    const key = keyOf(place);
    const known = folded.get(key);
    folded.set(key, { ...place, bucket: known ? mergeBuckets(known.bucket, bucket) : bucket });
  }
  return [...folded.values()];
}

/** The packed points of a week, with those of these shifts of it in the place of what they were. */
export function repackShifts(packed: string, shifts: readonly ServerBucket[]): string {
  const points = new Map(parsePacked(packed).map((point) => [point[0], point]));
  for (const { atMs, bucket } of shifts) {
    const place = (atMs - floorTo(atMs, WEEK_MS)) / GRAIN_MS.shift;
    points.set(place, packPoint(place, bucket));
  }
  return JSON.stringify([...points.values()].sort(([one], [other]) => one - other));
}

/** What `repackShifts` made; an empty text is a week without any. */
export const parsePacked = (packed: string): PackedPoint[] =>
  packed === '' ? [] : (JSON.parse(packed) as PackedPoint[]);
