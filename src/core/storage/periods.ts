/** How long the time is that one partition holds; both begin at midnight UTC, weeks on Monday. */
export type Every = 'week' | 'month';

/** A partition's time: from (included) to (excluded), in milliseconds since 1970. */
export interface Period {
  fromMs: number;
  toMs: number;
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05 was a Monday. */
const A_MONDAY_MS = 4 * DAY_MS;

/** The period that holds a moment. */
export function periodOf(every: Every, atMs: number): Period {
  if (every === 'week') {
    const fromMs = A_MONDAY_MS + Math.floor((atMs - A_MONDAY_MS) / WEEK_MS) * WEEK_MS;
    return { fromMs, toMs: fromMs + WEEK_MS };
  }
  const day = new Date(atMs);
  const monthMs = (offset: number) => Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + offset, 1);
  return { fromMs: monthMs(0), toMs: monthMs(1) };
}

/** The period of a moment and those after it, `ahead` of them. */
export function periodsAhead(every: Every, atMs: number, ahead: number): Period[] {
  const periods = [periodOf(every, atMs)];
  for (let last = periods[0]; last && periods.length <= ahead; last = periods.at(-1))
    periods.push(periodOf(every, last.toMs));
  return periods;
}

/** `20261123`: the day that a period begins on, for the name of its partition. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10).replaceAll('-', '');
}
