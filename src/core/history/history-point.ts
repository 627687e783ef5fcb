import { type Reason, VERDICTS } from '../reasons.ts';
import {
  COUNTED_VERDICTS,
  countChecks,
  type HealthBucket,
  type Percentiles,
  percentilesOf,
  UP_VERDICTS,
} from './health-bucket.ts';
import { type VerdictCounts, WORST_FIRST, type Worst, worstOf } from './worst-reason.ts';

/** A server in some time: one point of a curve. */
export interface HistoryPoint extends Percentiles {
  /** When it begins, in milliseconds since 1970. */
  atMs: number;
  checks: number;
  /** Of the checks that count, how many; `upRatio` is up / counted, null where none counts. */
  counted: number;
  up: number;
  upRatio: number | null;
  verdicts: VerdictCounts;
  /** null without any check. */
  worst: Worst | null;
}

/** What a bucket says, as a point that begins at `atMs`. */
export function pointOf(atMs: number, { verdicts, reasons, latency }: HealthBucket): HistoryPoint {
  const { checks, counted, up } = countChecks(verdicts);
  const upRatio = counted === 0 ? null : up / counted;
  const worst = worstOf(verdicts, reasons);
  return { atMs, checks, counted, up, upRatio, verdicts, ...percentilesOf(latency), worst };
}

/** A finished point in few bytes: place, percentiles, worst reason, and checks by verdict up to the last there are. */
export type PackedPoint = [
  place: number,
  p50Ms: number | null,
  p95Ms: number | null,
  p99Ms: number | null,
  reason: Reason | null,
  ...counts: number[],
];

/** Packs the point of the bucket at a place among its neighbours. */
export function packPoint(place: number, { verdicts, reasons, latency }: HealthBucket): PackedPoint {
  const counts = VERDICTS.map((verdict) => verdicts[verdict] ?? 0);
  while (counts[counts.length - 1] === 0) counts.pop();
  const { p50Ms, p95Ms, p99Ms } = percentilesOf(latency);
  return [place, p50Ms, p95Ms, p99Ms, worstOf(verdicts, reasons)?.reason ?? null, ...counts];
}

const FIRST_COUNT = 5;
const SAYS = VERDICTS.map((verdict) => ({
  verdict,
  counts: COUNTED_VERDICTS.includes(verdict),
  up: UP_VERDICTS.includes(verdict),
  badness: WORST_FIRST.length - WORST_FIRST.indexOf(verdict),
}));

/** The point that was packed, beginning at `atMs`. One loop, since a page is made of tens of thousands of them. */
export function unpackPoint(atMs: number, packed: PackedPoint): HistoryPoint {
  const verdicts: VerdictCounts = {};
  let [checks, counted, up, badness] = [0, 0, 0, 0];
  let worst: Worst | null = null;
  for (let place = FIRST_COUNT; place < packed.length; place += 1) {
    const count = Number(packed[place]);
    const says = SAYS[place - FIRST_COUNT];
    if (count === 0 || says === undefined) continue;
    verdicts[says.verdict] = count;
    checks += count;
    if (says.counts) counted += count;
    if (says.up) up += count;
    if (says.badness > badness) {
      badness = says.badness;
      worst = { verdict: says.verdict, reason: packed[4] };
    }
  }
  const upRatio = counted === 0 ? null : up / counted;
  return {
    atMs,
    checks,
    counted,
    up,
    upRatio,
    verdicts,
    p50Ms: packed[1],
    p95Ms: packed[2],
    p99Ms: packed[3],
    worst,
  };
}
