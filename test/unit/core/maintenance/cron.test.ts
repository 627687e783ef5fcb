import fc from 'fast-check';
import { validate } from 'node-cron';
import { describe, expect, test } from 'vitest';
import { CronError, parseCron } from '../../../../src/core/maintenance/cron.ts';

const isOurs = (expression: string): boolean => {
  try {
    parseCron(expression);
    return true;
  } catch (error) {
    if (error instanceof CronError) return false;
    throw error;
  }
};

describe('what node-cron takes is taken, and nothing else', () => {
  test.each([
    '* * * * *',
    '30 2 * * *',
    '0 30 2 * * *',
    '@daily',
    '@Hourly',
    '0 0 L * *',
    '0 0 L-3 * *',
    '0 0 15W * *',
    '0 0 LW * *',
    '0 0 ? * mon',
    '0 0 * * 1#2',
    '0 0 * * 5L',
    '0 0 * * SUNDAY',
    '0 0 * january-mar *',
    '0 22-2 * * *',
    '0 0 * * 5-1',
    '0 0 * * 7',
    '*/5 8-18 * * mon-fri',
    '0-30/10,45 * * * *',
    '0 0 29 2 *',
    '',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * 32 * *',
    '0 0 31 2 *',
    '0 0 30 feb *',
    '* * * 13 *',
    '* * * * 8',
    '*/0 * * * *',
    '5/10 * * * *',
    '1-70 * * * *',
    '1,,2 * * * *',
    'L * * * *',
    '0 0 0W * *',
    '0 0 L-31 * *',
    '0 0 * * 1#6',
    'a b c d e',
    '@never',
    '* * * * *; ls',
    '-1 * * * *',
  ])('%j', (expression) => {
    const theirs: boolean = validate(expression);
    expect(isOurs(expression)).toBe(theirs);
  });

  test('whatever is put together of the same parts', () => {
    const part = fc.constantFrom(
      '*',
      '0',
      '5',
      '7',
      '31',
      '59',
      '60',
      '1-5',
      '20-4',
      '*/7',
      '2-9/3',
      '0-6',
      '4,9',
      '1-2-3',
      '/',
      '7-2',
    );
    const monthDay = fc.oneof(part, fc.constantFrom('L', 'l-2', '15w', 'LW', '?', '32W', 'L-31', '30'));
    const month = fc.oneof(part, fc.constantFrom('jan', 'feb', 'June-august', 'nov-feb', '2'));
    const weekDay = fc.oneof(part, fc.constantFrom('mon', 'fri-mon', '7', '5L', '3#4', '3#6', '?', 'sunday'));
    fc.assert(
      fc.property(part, part, monthDay, month, weekDay, (minute, hour, day, inMonth, onDay) => {
        const fields: string[] = [minute, hour, day, inMonth, onDay];
        const expression = fields.join(' ');
        const theirs: boolean = validate(expression);
        expect(isOurs(expression), expression).toBe(theirs);
      }),
      { numRuns: 2000 },
    );
  });
});

test('the message names the field', () => {
  expect(() => parseCron('0 25 * * *')).toThrow('hour: 25 is not allowed (0 to 23)');
  expect(() => parseCron('0 0 31 2 *')).toThrow('no such day comes: 31 2');
  expect(() => parseCron('0 0')).toThrow('it has 2 fields, and five or six are needed');
});
