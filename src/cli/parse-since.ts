import { UsageError } from './cli-io.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** A moment in the past, in milliseconds since 1970: as `30m`, `12h`, `7d` before now, or as an ISO date or time. */
export function parseSince(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const atMs = count === undefined ? parseIso(text) : now - Number(count) * (UNITS[unit] ?? 0);
  if (Number.isNaN(atMs)) {
    throw new UsageError(`--since has to be as 30m, 12h, 7d, or an ISO time, not ${JSON.stringify(text)}`);
  }
  if (atMs > now) throw new UsageError('--since is in the future');
  if (atMs < 0) throw new UsageError('--since is too long ago');
  return atMs;
}

function parseIso(text: string): number {
  if (!ISO.test(text)) return Number.NaN;
  // A day that its month does not have would otherwise be one of the next month.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text.slice(0, 10)) return Number.NaN;
  return Date.parse(text);
}
