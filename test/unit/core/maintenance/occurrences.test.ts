import fc from 'fast-check';
import { createTask } from 'node-cron';
import { afterEach, expect, test, vi } from 'vitest';
import { parseCron } from '../../../../src/core/maintenance/cron.ts';
import { lastOccurrence, nextOccurrence } from '../../../../src/core/maintenance/occurrences.ts';
import { isTimeZone, localOf } from '../../../../src/core/maintenance/zone-time.ts';

afterEach(() => vi.useRealTimers());

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const next = (cron: string, zone: string, at: string) =>
  iso(nextOccurrence(parseCron(cron), zone, Date.parse(at)));

test.each([
  ['30 2 * * *', 'Europe/Berlin', '2026-11-23T12:00:00Z', '2026-11-24T01:30:00.000Z'],
  // The night of the 28th of March 2027 has no 02:30: the window begins when the clocks are put forward.
  ['30 2 * * *', 'Europe/Berlin', '2027-03-27T12:00:00Z', '2027-03-28T01:00:00.000Z'],
  ['30 2 * * *', 'Europe/Berlin', '2027-03-28T01:00:00Z', '2027-03-29T00:30:00.000Z'],
  // The night of the 31st of October has it twice: the first counts, and only that.
  ['30 2 * * *', 'Europe/Berlin', '2027-10-30T12:00:00Z', '2027-10-31T00:30:00.000Z'],
  ['30 2 * * *', 'Europe/Berlin', '2027-10-31T00:30:00Z', '2027-11-01T01:30:00.000Z'],
  // Half an hour is missing on Lord Howe.
  ['15 2 * * *', 'Australia/Lord_Howe', '2027-10-02T12:00:00Z', '2027-10-02T15:30:00.000Z'],
  // A whole day is missing on Samoa.
  ['0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00:00Z', '2011-12-30T10:00:00.000Z'],
  ['0 0 1 * mon', 'UTC', '2026-11-23T00:00:00Z', '2027-02-01T00:00:00.000Z'],
  ['0 0 29 2 1', 'UTC', '2026-11-23T00:00:00Z', '2044-02-29T00:00:00.000Z'],
  ['*/20 30 2 * * *', 'Asia/Kolkata', '2026-11-23T21:00:00Z', '2026-11-23T21:00:20.000Z'],
  ['0 0 LW * *', 'UTC', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00.000Z'],
  ['0 0 1W 5 *', 'UTC', '2026-11-23T00:00:00Z', '2027-05-03T00:00:00.000Z'],
])('%s in %s after %s', (cron, zone, at, expected) => {
  expect(next(cron, zone, at)).toBe(expected);
});

test('the same as node-cron finds, on days whose clocks are left alone', () => {
  const expression = fc.constantFrom(
    '30 2 * * *',
    '*/17 * * * *',
    '0 22-2 * * fri-sun',
    '15 10 8 1,15 * *',
    '0 0 L * *',
    '0 6 15W * *',
    '0 0 * * 1#2',
    '5 5 * * 5L',
    '0 12 L-2 feb-apr *',
  );
  const zone = fc.constantFrom('UTC', 'Asia/Tokyo', 'America/Phoenix', 'Asia/Kathmandu');
  const at = fc.integer({ min: Date.UTC(2024, 0, 1) / 1000, max: Date.UTC(2030, 0, 1) / 1000 });
  vi.useFakeTimers();
  fc.assert(
    fc.property(expression, zone, at, (cron, timezone, seconds) => {
      vi.setSystemTime(seconds * 1000);
      const task = createTask(cron, () => undefined, { timezone });
      const theirs = task.getNextRuns(1)[0]?.getTime() ?? null;
      void task.destroy();
      expect(nextOccurrence(parseCron(cron), timezone, seconds * 1000)).toBe(theirs);
    }),
    { numRuns: 200 },
  );
});

test('what comes next is what was last, once it has come', () => {
  const crons = ['30 2 * * *', '*/10 1-3 * * *', '0 0 * * 0', '*/25 * * * * *', '59 23 * * *'];
  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia', 'UTC'];
  fc.assert(
    fc.property(
      fc.constantFrom(...crons),
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) }),
      (expression, zone, atMs) => {
        const cron = parseCron(expression);
        const nextMs = nextOccurrence(cron, zone, atMs) ?? Number.NaN;
        expect(nextMs).toBeGreaterThan(atMs);
        expect(lastOccurrence(cron, zone, atMs, nextMs)).toBe(nextMs);
        expect(lastOccurrence(cron, zone, atMs + 1, nextMs - 1)).toBeNull();
      },
    ),
    { numRuns: 300 },
  );
});

test('time zones are known by name', () => {
  expect(['Europe/Berlin', 'UTC', 'Nowhere/Else', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  expect(iso(localOf('Europe/Berlin', Date.parse('2027-07-01T10:20:30.123Z')))).toBe(
    '2027-07-01T12:20:30.123Z',
  );
});
