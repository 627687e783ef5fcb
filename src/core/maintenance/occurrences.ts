import type { Cron, MonthDay, WeekDay } from './cron.ts';
import { createDayClock, localOf } from './zone-time.ts';

const DAY_MS = 86_400_000;
/** Long enough for the 29th of February on a given day of the week, over a century without a leap year. */
const MAX_DAYS_AHEAD = 366 * 41;

/** The last time at or before `atMs`, and not before `sinceMs`, at which the expression fires; null for none. */
export function lastOccurrence(cron: Cron, timeZone: string, sinceMs: number, atMs: number): number | null {
  // A local day begins and ends up to a day away from the UTC day of the same name.
  const firstDay = dayOf(localOf(timeZone, sinceMs)) - DAY_MS;
  for (let day = dayOf(localOf(timeZone, atMs)); day >= firstDay; day -= DAY_MS) {
    if (!firesOn(cron, day)) continue;
    const found = lastOfDay(cron, day, createDayClock(timeZone, day), atMs);
    if (found !== null) return found >= sinceMs ? found : null;
  }
  return null;
}

/** The first time after `atMs` at which the expression fires; null when it does not within forty years. */
export function nextOccurrence(cron: Cron, timeZone: string, atMs: number): number | null {
  const firstDay = dayOf(localOf(timeZone, atMs));
  for (let index = 0; index <= MAX_DAYS_AHEAD; index += 1) {
    const day = firstDay + index * DAY_MS;
    if (!firesOn(cron, day)) continue;
    const found = firstOfDay(cron, day, createDayClock(timeZone, day), atMs);
    if (found !== null) return found;
  }
  return null;
}

const dayOf = (localMs: number): number => Math.floor(localMs / DAY_MS) * DAY_MS;

/** Times of day are in the same order in UTC, so that the search may go hour by hour, and then finer. */
function lastOfDay(cron: Cron, day: number, utc: (local: number) => number, atMs: number): number | null {
  for (const hour of cron.hours.toReversed()) {
    if (utc(day + hour * 3_600_000) > atMs) continue;
    for (const minute of cron.minutes.toReversed()) {
      if (utc(day + hour * 3_600_000 + minute * 60_000) > atMs) continue;
      for (const second of cron.seconds.toReversed()) {
        const found = utc(day + hour * 3_600_000 + minute * 60_000 + second * 1000);
        if (found <= atMs) return found;
      }
    }
  }
  return null;
}

function firstOfDay(cron: Cron, day: number, utc: (local: number) => number, atMs: number): number | null {
  for (const hour of cron.hours) {
    if (utc(day + hour * 3_600_000 + 3_599_000) <= atMs) continue;
    for (const minute of cron.minutes) {
      if (utc(day + hour * 3_600_000 + minute * 60_000 + 59_000) <= atMs) continue;
      for (const second of cron.seconds) {
        const found = utc(day + hour * 3_600_000 + minute * 60_000 + second * 1000);
        if (found > atMs) return found;
      }
    }
  }
  return null;
}

function firesOn(cron: Cron, localDay: number): boolean {
  const date = new Date(localDay);
  const month = date.getUTCMonth() + 1;
  if (!cron.months.has(month)) return false;
  const calendar = {
    day: date.getUTCDate(),
    weekDay: date.getUTCDay(),
    days: new Date(Date.UTC(date.getUTCFullYear(), month, 0)).getUTCDate(),
  };
  return (
    cron.monthDays.some((rule) => isMonthDay(rule, calendar)) &&
    cron.weekDays.some((rule) => isWeekDay(rule, calendar))
  );
}

/** A day of a month of so many days. */
interface CalendarDay {
  day: number;
  weekDay: number;
  days: number;
}

function isMonthDay(rule: MonthDay, { day, weekDay, days }: CalendarDay): boolean {
  switch (rule.kind) {
    case 'day':
      return rule.day === day;
    case 'fromLast':
      return days - rule.days === day;
    case 'nearestWorkday': {
      const wanted = rule.day ?? days;
      if (wanted > days) return false;
      const wantedWeekDay = (((weekDay + wanted - day) % 7) + 7) % 7;
      return nearestWorkday(wanted, wantedWeekDay, days) === day;
    }
  }
}

/** Never over the border of the month. */
function nearestWorkday(day: number, weekDay: number, days: number): number {
  if (weekDay === 6) return day === 1 ? day + 2 : day - 1;
  if (weekDay === 0) return day === days ? day - 2 : day + 1;
  return day;
}

function isWeekDay(rule: WeekDay, { day, weekDay, days }: CalendarDay): boolean {
  if (rule.weekDay !== weekDay) return false;
  if (rule.kind === 'nth') return Math.ceil(day / 7) === rule.nth;
  return rule.kind === 'every' || day + 7 > days;
}
