import { ceilTo, floorTo, GRAIN_MS, type Tier, type TierSince, WEEK_MS } from './tiers.ts';

export interface HistoryRange {
  fromMs: number;
  toMs: number;
  /** At most so many points for each server; at least 1. */
  maxPoints: number;
  /** Of how many servers. */
  servers: number;
}

/** How a history is read: the tier, and how much time a point of it stands for. */
export interface HistoryStep {
  tier: Tier;
  stepMs: number;
  /** The beginning of the first point: the range, widened to whole points. */
  fromMs: number;
  /** The end of the last one. */
  toMs: number;
}

/** Steps within a day: each is whole buckets of its tier and divides the next coarser tier's. */
const STEPS: readonly { tier: Tier; buckets: number }[] = [
  ...[1, 2, 3, 5, 6, 10, 12, 15, 20, 30].map((buckets) => ({ tier: 'minute' as const, buckets })),
  ...[1, 2, 4].map((buckets) => ({ tier: 'hour' as const, buckets })),
  { tier: 'shift', buckets: 1 },
];

/** More rows than this a page does not wait for: many servers over a long time are shown in coarser points. */
const MAX_ROWS = 50_000;

/** Shifts are read from the rows of their weeks. */
const READ_GRAIN_MS: Readonly<Record<Tier, number>> = { ...GRAIN_MS, shift: WEEK_MS };

/**
 * The finest step that makes at most `maxPoints` points of the range, out of a tier that is whole over it and
 * that can be read in some milliseconds; where no tier is whole any more, days.
 */
export function chooseStep(range: HistoryRange, since: TierSince): HistoryStep {
  const { fromMs, toMs, maxPoints, servers } = range;
  for (const { tier, buckets } of STEPS) {
    if (since[tier] > fromMs) continue;
    if ((servers * (toMs - fromMs)) / READ_GRAIN_MS[tier] > MAX_ROWS) continue;
    const step = stepOf(tier, buckets * GRAIN_MS[tier], range);
    if (pointsOf(step) <= maxPoints) return step;
  }
  let days = Math.max(1, Math.ceil((toMs - fromMs) / GRAIN_MS.day / maxPoints));
  for (;;) {
    const step = stepOf('day', days * GRAIN_MS.day, range);
    if (pointsOf(step) <= maxPoints) return step;
    days += 1;
  }
}

function stepOf(tier: Tier, stepMs: number, { fromMs, toMs }: HistoryRange): HistoryStep {
  const startMs = floorTo(fromMs, stepMs);
  return { tier, stepMs, fromMs: startMs, toMs: Math.max(startMs + stepMs, ceilTo(toMs, stepMs)) };
}

/** How many points a step makes of its range. */
export const pointsOf = ({ fromMs, toMs, stepMs }: HistoryStep): number => (toMs - fromMs) / stepMs;
