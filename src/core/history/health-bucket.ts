import { healthStatusOf } from '../health/decide-health.ts';
import { type Reason, VERDICTS, type Verdict } from '../reasons.ts';
import { type LatencySketch, mergeSketches, quantileOf, sketchOf } from '../sketch/latency-sketch.ts';
import type { Check } from './judge-check.ts';
import type { ReasonCounts, VerdictCounts } from './worst-reason.ts';

/** The checks of some time, summed: any two can be put together, in any order. */
export interface HealthBucket {
  verdicts: VerdictCounts;
  reasons: ReasonCounts;
  /** How many checks had a response time, and their sum. */
  responses: number;
  responseMsSum: number;
  latency: LatencySketch;
}

export const EMPTY_BUCKET: HealthBucket = {
  verdicts: {},
  reasons: {},
  responses: 0,
  responseMsSum: 0,
  latency: [],
};

/** What counts as up, and what counts at all: what says nothing about a server is not held against it. */
export const UP_VERDICTS: readonly Verdict[] = VERDICTS.filter(
  (verdict) => healthStatusOf(verdict) === 'healthy',
);
export const COUNTED_VERDICTS: readonly Verdict[] = VERDICTS.filter(
  (verdict) => healthStatusOf(verdict) !== 'unknown',
);

/** The bucket of one check. */
export function bucketOf({ verdict, reason, responseMs }: Check): HealthBucket {
  return {
    verdicts: { [verdict]: 1 },
    reasons: reason === null || reason === 'ok' ? {} : { [reason]: 1 },
    responses: responseMs === null ? 0 : 1,
    responseMsSum: responseMs ?? 0,
    latency: responseMs === null ? [] : sketchOf([responseMs]),
  };
}

/** Both together. */
export function mergeBuckets(one: HealthBucket, other: HealthBucket): HealthBucket {
  return {
    verdicts: addCounts<Verdict>(one.verdicts, other.verdicts),
    reasons: addCounts<Reason>(one.reasons, other.reasons),
    responses: one.responses + other.responses,
    responseMsSum: one.responseMsSum + other.responseMsSum,
    latency: mergeSketches(one.latency, other.latency),
  };
}

function addCounts<Key extends string>(
  one: Partial<Record<Key, number>>,
  other: Partial<Record<Key, number>>,
): Partial<Record<Key, number>> {
  const sum = { ...one };
  for (const key in other) sum[key] = (sum[key] ?? 0) + (other[key] ?? 0);
  return sum;
}

const sumOf = (verdicts: VerdictCounts, which: readonly Verdict[]): number =>
  which.reduce((sum, verdict) => sum + (verdicts[verdict] ?? 0), 0);

/** How many checks there were, how many of them count for the uptime, and how many of those were up. */
export const countChecks = (verdicts: VerdictCounts) => ({
  checks: sumOf(verdicts, VERDICTS),
  counted: sumOf(verdicts, COUNTED_VERDICTS),
  up: sumOf(verdicts, UP_VERDICTS),
});

/** The median, the 95th and the 99th percentile, in milliseconds to a tenth; null without a response time. */
export interface Percentiles {
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export function percentilesOf(latency: LatencySketch): Percentiles {
  const toTenth = (share: number): number | null => {
    const ms = quantileOf(latency, share);
    return ms === null ? null : Math.round(ms * 10) / 10;
  };
  return { p50Ms: toTenth(0.5), p95Ms: toTenth(0.95), p99Ms: toTenth(0.99) };
}
