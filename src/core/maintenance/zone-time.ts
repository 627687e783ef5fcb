/** Wall-clock times of a time zone. `local` numbers are milliseconds as if the wall clock were UTC. */

const DAY_MS = 86_400_000;

/** Whether a time zone of this name is known. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}

/** What the clocks of the zone show at a time. */
export function localOf(timeZone: string, utcMs: number): number {
  const whole = Math.floor(utcMs / 1000) * 1000;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(whole)) parts[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (utcMs - whole);
}

/** Turns the times of one local day into UTC; asks for the zone's offsets only once for the whole day. */
export function createDayClock(timeZone: string, localDay: number): (localMs: number) => number {
  // A day on either side holds every change of clocks that could concern this one.
  const before = localOf(timeZone, localDay - DAY_MS) - (localDay - DAY_MS);
  const after = localOf(timeZone, localDay + 2 * DAY_MS) - (localDay + 2 * DAY_MS);
  if (before === after) return (local) => local - before;
  return (local) => utcOf(timeZone, local, before, after);
}

/**
 * The time at which the clocks of the zone show this. Shown twice, the first counts; never shown, because
 * the clocks were put forward, the moment at which they were.
 */
function utcOf(timeZone: string, local: number, before: number, after: number): number {
  const early = local - Math.max(before, after);
  const late = local - Math.min(before, after);
  if (localOf(timeZone, early) === local) return early;
  if (localOf(timeZone, late) === local) return late;
  // In the gap: the change lies between the two, to be found by halving.
  let low = early;
  let high = late;
  const offset = (utcMs: number): number => localOf(timeZone, utcMs) - utcMs;
  const first = offset(low);
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (offset(middle) === first) low = middle;
    else high = middle;
  }
  return high;
}
