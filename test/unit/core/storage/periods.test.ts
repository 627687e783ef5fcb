import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayOf, type Every, periodOf, periodsAhead } from '../../../../src/core/storage/periods.ts';

const iso = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
  [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 16));

describe('periodOf', () => {
  it.each<[Every, string, string, string]>([
    ['week', '2026-11-27T10:00Z', '2026-11-23T00:00', '2026-11-30T00:00'],
    ['week', '2026-11-23T00:00Z', '2026-11-23T00:00', '2026-11-30T00:00'],
    ['week', '2026-11-22T23:59:59.999Z', '2026-11-16T00:00', '2026-11-23T00:00'],
    ['week', '1970-01-01T00:00Z', '1969-12-29T00:00', '1970-01-05T00:00'],
    ['month', '2026-12-31T23:59Z', '2026-12-01T00:00', '2027-01-01T00:00'],
    ['month', '2028-02-29T12:00Z', '2028-02-01T00:00', '2028-03-01T00:00'],
  ])('the %s of %s', (every, at, from, to) => {
    expect(iso(periodOf(every, Date.parse(at)))).toEqual([from, to]);
  });

  it('leaves no moment out and puts none into two', () => {
    const moment = fc.integer({ min: Date.UTC(1960, 0), max: Date.UTC(2100, 0) });
    fc.assert(
      fc.property(fc.constantFrom<Every>('week', 'month'), moment, (every, atMs) => {
        const { fromMs, toMs } = periodOf(every, atMs);
        expect(fromMs).toBeLessThanOrEqual(atMs);
        expect(toMs).toBeGreaterThan(atMs);
        expect(periodOf(every, toMs).fromMs).toBe(toMs);
        expect(periodOf(every, toMs - 1)).toEqual({ fromMs, toMs });
      }),
    );
  });
});

describe('periodsAhead', () => {
  it('goes on without a gap', () => {
    const periods = periodsAhead('month', Date.parse('2026-11-27T10:00Z'), 2);
    expect(periods.map(({ fromMs }) => dayOf(fromMs))).toEqual(['20261101', '20261201', '20270101']);
    expect(periods.slice(1).map(({ fromMs }) => fromMs)).toEqual(
      periods.slice(0, -1).map(({ toMs }) => toMs),
    );
  });
});
