/** How health history is kept: the same checks summed into buckets of four lengths. */
import type { SettingValues } from '../settings/known-settings.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The finest first. A shift is a third of a UTC day; no bucket of one tier straddles two of a coarser one. */
export const TIERS = ['minute', 'hour', 'shift', 'day'] as const;
export type Tier = (typeof TIERS)[number];

export const GRAIN_MS: Readonly<Record<Tier, number>> = {
  minute: MINUTE_MS,
  hour: HOUR_MS,
  shift: 8 * HOUR_MS,
  day: DAY_MS,
};

/** The finished points of shifts are stored by so much, counted from 1970. */
export const WEEK_MS = 7 * DAY_MS;

/** How long buckets are kept, by their beginning. */
export type TierKeep = Readonly<Record<Tier, number>>;

/** How long history is kept as the settings have it, and its rows, failures or not. */
export function keepOf({
  healthMinutes,
  healthHours,
  healthDays,
  healthCheck,
  healthFailure,
}: SettingValues): { keepMs: TierKeep; rowsKeptMs: number } {
  return {
    keepMs: {
      minute: healthMinutes * DAY_MS,
      hour: healthHours * DAY_MS,
      shift: healthHours * DAY_MS,
      day: healthDays * DAY_MS,
    },
    rowsKeptMs: Math.min(healthCheck, healthFailure) * DAY_MS,
  };
}

/** Since when each tier holds everything that is known, in milliseconds since 1970; -Infinity: always. */
export type TierSince = Readonly<Record<Tier, number>>;

/** The beginning of the bucket of a moment; buckets are counted in UTC. */
export const floorTo = (atMs: number, grainMs: number): number => Math.floor(atMs / grainMs) * grainMs;

/** The first beginning of a bucket that is not before a moment. */
export const ceilTo = (atMs: number, grainMs: number): number => Math.ceil(atMs / grainMs) * grainMs;

/**
 * Since when each tier is whole, told by the oldest bucket that each has. What a tier lacks before its own
 * oldest bucket was deleted only if the next coarser one has something older; otherwise there never was any.
 */
export function wholeSince(oldestMs: Readonly<Record<Tier, number | null>>): TierSince {
  const since: Record<Tier, number> = { minute: 0, hour: 0, shift: 0, day: Number.NEGATIVE_INFINITY };
  TIERS.forEach((tier, place) => {
    const coarser = TIERS[place + 1];
    if (coarser === undefined) return;
    const [own, older] = [oldestMs[tier], oldestMs[coarser]];
    const cut = older !== null && (own === null || older < floorTo(own, GRAIN_MS[coarser]));
    since[tier] = cut ? (own ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  });
  // A coarser tier is never whole for longer than it is itself: what it was cut by, finer ones were, too.
  for (let place = TIERS.length - 2; place >= 0; place -= 1) {
    const [tier, coarser] = [TIERS[place], TIERS[place + 1]];
    if (tier && coarser) since[tier] = Math.max(since[tier], since[coarser]);
  }
  return since;
}
