/** A cron expression taken apart: which values of each field fire. */
export interface Cron {
  seconds: readonly number[];
  minutes: readonly number[];
  hours: readonly number[];
  months: ReadonlySet<number>;
  /** A day fires when both rules say so, as node-cron has it. */
  monthDays: readonly MonthDay[];
  weekDays: readonly WeekDay[];
}

export type MonthDay =
  | { kind: 'day'; day: number }
  /** So many days before the last of the month; 0 is the last. */
  | { kind: 'fromLast'; days: number }
  /** The working day nearest to this day of the same month; null: to its last day. */
  | { kind: 'nearestWorkday'; day: number | null };

export type WeekDay =
  | { kind: 'every'; weekDay: number }
  | { kind: 'nth'; weekDay: number; nth: number }
  | { kind: 'last'; weekDay: number };

/** The expression is not one that node-cron takes; the message says which field and why. */
export class CronError extends Error {
  override readonly name = 'CronError';
}

const NICKNAMES: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const LONG_MONTHS =
  'january february march april may june july august september october november december'.split(' ');
const DAYS = 'sun mon tue wed thu fri sat'.split(' ');
const LONG_DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const LONGEST_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Five or six fields (the first of six is seconds), or a nickname like `@daily`. Throws CronError. */
export function parseCron(expression: string): Cron {
  const text = expression.trim();
  const fields = (NICKNAMES[text.toLowerCase()] ?? text).split(/ +/);
  if (fields.length !== 5 && fields.length !== 6)
    throw new CronError(`it has ${text === '' ? 0 : fields.length} fields, and five or six are needed`);
  const [second = '', minute = '', hour = '', monthDay = '', month = '', weekDay = ''] =
    fields.length === 5 ? ['0', ...fields] : fields;
  const months = numbersOf('month', month, 1, 12, [LONG_MONTHS, MONTHS], 1);
  const cron: Cron = {
    seconds: numbersOf('second', second, 0, 59),
    minutes: numbersOf('minute', minute, 0, 59),
    hours: numbersOf('hour', hour, 0, 23),
    months: new Set(months),
    monthDays: monthDaysOf(monthDay === '?' ? '*' : monthDay),
    weekDays: weekDaysOf(weekDay === '?' ? '*' : weekDay),
  };
  refuseNever(cron, months, `${monthDay} ${month}`);
  return cron;
}

/** A day that none of the months has would be a window that never comes. */
function refuseNever(cron: Cron, months: readonly number[], text: string): void {
  const possible = cron.monthDays.some(
    (rule) => rule.kind !== 'day' || months.some((month) => rule.day <= (LONGEST_MONTH[month - 1] ?? 0)),
  );
  if (!possible) throw new CronError(`no such day comes: ${text}`);
}

function monthDaysOf(field: string): MonthDay[] {
  return field.split(',').flatMap((token): MonthDay[] => {
    const [, offset] = /^L(?:-(\d{1,2}))?$/i.exec(token) ?? [];
    if (/^L$/i.test(token)) return [{ kind: 'fromLast', days: 0 }];
    if (offset !== undefined) {
      const days = Number(offset);
      if (days < 1 || days > 30) throw wrong('day of the month', token, 'L-1 to L-30');
      return [{ kind: 'fromLast', days }];
    }
    const [, near] = /^(\d{1,2}|L)W$/i.exec(token) ?? [];
    if (near !== undefined) {
      if (/^L$/i.test(near)) return [{ kind: 'nearestWorkday', day: null }];
      const day = Number(near);
      if (day < 1 || day > 31) throw wrong('day of the month', token, '1W to 31W');
      return [{ kind: 'nearestWorkday', day }];
    }
    return numbersOf('day of the month', token, 1, 31).map((day) => ({ kind: 'day', day }));
  });
}

function weekDaysOf(field: string): WeekDay[] {
  const named = withNumbers(field, [LONG_DAYS, DAYS], 0);
  return named.split(',').flatMap((token): WeekDay[] => {
    const [, nthDay, nth] = /^([0-7])#([1-5])$/.exec(token) ?? [];
    if (nthDay !== undefined) return [{ kind: 'nth', weekDay: Number(nthDay) % 7, nth: Number(nth) }];
    const [, lastDay] = /^([0-7])L$/i.exec(token) ?? [];
    if (lastDay !== undefined) return [{ kind: 'last', weekDay: Number(lastDay) % 7 }];
    // `*` is 0-6; a 7 that is written is a Sunday, too.
    const written = token.startsWith('*') ? token.replace('*', '0-6') : token;
    return numbersOf('day of the week', written, 0, 7).map((day) => ({ kind: 'every', weekDay: day % 7 }));
  });
}

function withNumbers(field: string, names: readonly (readonly string[])[], first: number): string {
  let text = field;
  for (const list of names) {
    list.forEach((name, index) => {
      text = text.replace(new RegExp(name, 'gi'), String(index + first));
    });
  }
  return text;
}

/** The sorted values of a field of numbers, ranges, lists and steps. */
function numbersOf(
  what: string,
  field: string,
  min: number,
  max: number,
  names: readonly (readonly string[])[] = [],
  firstName = 0,
): number[] {
  const values = new Set<number>();
  for (const token of withNumbers(field, names, firstName).split(',')) {
    const match = /^(?:(\*)|(\d{1,4})(?:-(\d{1,4}))?)(?:\/(\d{1,4}))?$/.exec(token);
    if (!match) throw wrong(what, token === '' ? 'nothing' : token, `${min} to ${max}`);
    const [, star, from, to, step] = match;
    if (step !== undefined && star === undefined && to === undefined)
      throw wrong(what, token, 'a range or * before a step');
    const every = Number(step ?? 1);
    if (every < 1) throw wrong(what, token, 'a step of 1 or more');
    const start = star === undefined ? Number(from) : min;
    const end = star === undefined ? Number(to ?? from) : max;
    if (start < min || start > max || end < min || end > max) throw wrong(what, token, `${min} to ${max}`);
    // A range that ends before it begins goes round: 22-2 is the night. Of week days 0 to 6 are the round.
    const round = (what === 'day of the week' ? 6 : max) - min + 1;
    const length = start <= end ? end - start : (((end - start) % round) + round) % round;
    for (let offset = 0; offset <= length; offset += every) {
      const value = start + offset;
      values.add(start <= end || value <= round - 1 + min ? value : value - round);
    }
  }
  return [...values].sort((a, b) => a - b);
}

const wrong = (what: string, token: string, allowed: string): CronError =>
  new CronError(`${what}: ${token} is not allowed (${allowed})`);
