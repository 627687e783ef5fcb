import type { Moment } from './actions.ts';
import { UsageError } from './cli-io.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * A time in milliseconds: `now`, an ISO date or time (UTC where it names no zone), or how long ago, as
 * `90m`, `6h`, `2d`, `1w`. Throws UsageError for anything else.
 */
export function parseTime(text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  const [, amount, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * (UNITS[unit] ?? 0);
  if (ISO.test(text)) {
    const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10));
    const ms = Date.parse(text.length > 10 && !hasZone ? `${text}Z` : text);
    // Date.parse takes the 30th of February for the 2nd of March.
    const isReal = !Number.isNaN(ms) && isRealDay(text);
    if (isReal) return ms;
  }
  throw new UsageError(
    `${JSON.stringify(text.slice(0, 60))} is no time: give an ISO date or time, or how long ago, as 6h or 2d`,
  );
}

function isRealDay(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day ?? 0));
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
}

/** A snapshot's hash or the first 8 characters of it at least, with or without its scheme. */
const HASH = /^(?:v\d{1,3}:[0-9a-f]{8,64}|(?=.*[a-f])[0-9a-f]{8,64})$/;

export const isHash = (text: string): boolean => HASH.test(text);

/** A time, or the hash of a snapshot. */
export function parseMoment(text: string, nowMs: number): Moment {
  return isHash(text) ? { hash: text } : { atMs: parseTime(text, nowMs) };
}
