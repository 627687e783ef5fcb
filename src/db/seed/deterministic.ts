import { createHash } from 'node:crypto';

/** The same UUID for the same name, always. */
export function uuidOf(name: string): string {
  const hex = createHash('sha256').update(`mcp-vitals seed ${name}`).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Chance that falls the same way every time: numbers from 0 to 1, from a name. */
export interface Dice {
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** True in that share of throws. */
  chance(share: number): boolean;
}

/** A 32-bit xorshift generator, seeded by the name. */
export function createDice(name: string): Dice {
  let state = Number.parseInt(sha256(name).slice(0, 8), 16) || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    pick: (from) => from[between(0, from.length - 1)] ?? from[0],
    chance: (share) => next() < share,
  };
}

const DAY_MS = 86_400_000;

/** Moments counted back from the seeding, so that history ends now. */
export interface Clock {
  now: Date;
  daysAgo(days: number, hours?: number): Date;
  /** Counted back from the last midnight (UTC): whole days hold the same number of them at any hour. */
  daysBeforeToday(days: number): Date;
}

export function createClock(now: Date): Clock {
  const midnight = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  return {
    now,
    daysAgo: (days, hours = 0) => new Date(now.getTime() - days * DAY_MS - hours * 3_600_000),
    daysBeforeToday: (days) => new Date(midnight - days * DAY_MS),
  };
}
