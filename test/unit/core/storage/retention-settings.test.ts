import { describe, expect, it } from 'vitest';
import { decideRetention, RETENTION } from '../../../../src/core/storage/retention-settings.ts';

const KEY = RETENTION.apiUsage.key;
const only =
  (value: unknown, rules: object | null = null) =>
  (key: string) =>
    key === KEY ? { value, rules } : null;
const nothing = () => undefined;

describe('decideRetention', () => {
  it('takes the defaults where nothing is stored', () => {
    const { days, refused } = decideRetention(() => null, nothing);
    expect(days.apiUsage).toBe(RETENTION.apiUsage.defaultDays);
    expect(refused).toEqual([]);
  });

  it('takes what is stored', () => {
    expect(decideRetention(only(7), nothing).days.apiUsage).toBe(7);
  });

  it.each([['7'], [0], [-1], [1.5], [null], [99_999], [{ days: 7 }]])(
    'refuses %j and keeps what was',
    (value) => {
      const { days, refused } = decideRetention(only(value), (key) => (key === KEY ? 400 : undefined));
      expect(days.apiUsage).toBe(400);
      expect(refused).toEqual([{ key: KEY, kept: 400, problem: expect.any(String) }]);
    },
  );

  it('refuses by the rules that are stored with the value, too', () => {
    const { days, refused } = decideRetention(only(7, { minimum: 30 }), nothing);
    expect(days.apiUsage).toBe(RETENTION.apiUsage.defaultDays);
    expect(refused[0]?.problem).toBe('7 is less than 30');
  });
});
