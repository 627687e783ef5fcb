import { describe, expect, it } from 'vitest';
import { decideSettings, SETTINGS } from '../../../../src/core/settings/known-settings.ts';

const KEY = SETTINGS.apiUsage.key;
const only =
  (value: unknown, rules: object | null = null) =>
  (key: string) =>
    key === KEY ? { value, rules } : null;
const nothing = () => undefined;

describe('decideSettings', () => {
  it('takes the defaults where nothing is stored', () => {
    const { values, refused } = decideSettings(() => null, nothing);
    expect(values.apiUsage).toBe(SETTINGS.apiUsage.defaultValue);
    expect(refused).toEqual([]);
  });

  it('takes what is stored', () => {
    expect(decideSettings(only(7), nothing).values.apiUsage).toBe(7);
  });

  it.each([['7'], [0], [-1], [1.5], [null], [99_999], [{ days: 7 }]])(
    'refuses %j and keeps what was',
    (value) => {
      const { values, refused } = decideSettings(only(value), (key) => (key === KEY ? 400 : undefined));
      expect(values.apiUsage).toBe(400);
      expect(refused).toEqual([{ key: KEY, kept: '400 days', problem: expect.any(String) }]);
    },
  );

  it('refuses by the rules that are stored with the value, too', () => {
    const { values, refused } = decideSettings(only(7, { minimum: 30 }), nothing);
    expect(values.apiUsage).toBe(SETTINGS.apiUsage.defaultValue);
    expect(refused[0]?.problem).toBe('7 is less than 30');
  });
});
