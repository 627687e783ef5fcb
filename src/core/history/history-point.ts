import { type Reason, VERDICTS } from '../reasons.ts';
import { countChecks, type HealthBucket, type Percentiles, percentilesOf } from './health-bucket.ts';
import { type VerdictCounts, type Worst, worstOf } from './worst-reason.ts';

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
export const pointOf = (atMs: number, { verdicts, reasons, latency }: HealthBucket): HistoryPoint =>
  makePoint(atMs, verdicts, percentilesOf(latency), worstOf(verdicts, reasons));

function makePoint(
  atMs: number,
  verdicts: VerdictCounts,
  { p50Ms, p95Ms, p99Ms }: Percentiles,
  worst: Worst | null,
): HistoryPoint {
  const { checks, counted, up } = countChecks(verdicts);
  const upRatio = counted === 0 ? null : up / counted;
  return { atMs, checks, counted, up, upRatio, verdicts, p50Ms, p95Ms, p99Ms, worst };
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

/** The point that was packed, beginning at `atMs`. */
export function unpackPoint(atMs: number, packed: PackedPoint): HistoryPoint {
  const [, p50Ms, p95Ms, p99Ms, reason, ...counts] = packed;
  const verdicts: VerdictCounts = {};
  counts.forEach((count, place) => {
    const verdict = VERDICTS[place];
    if (verdict !== undefined && count > 0) verdicts[verdict] = count;
  });
  const worst = worstOf(verdicts, {});
  return makePoint(atMs, verdicts, { p50Ms, p95Ms, p99Ms }, worst && { ...worst, reason });
}
