import { expect, test } from 'vitest';
import { failingCallsOf } from '../../../../src/core/monitor/failing-calls.ts';

const POLICY = { minCalls: 20, errorShare: 0.2 };

test.each([
  [0, 0, false],
  [19, 19, false],
  [20, 3, false],
  [20, 4, true],
  [1_000, 199, false],
  [1_000, 200, true],
])('%i calls, %i errors: %s', (calls, errors, failing) => {
  expect(failingCallsOf({ calls, errors }, POLICY)).toEqual(failing ? { calls, errors } : null);
});

test('without an error nothing fails, whatever share is asked for', () => {
  expect(failingCallsOf({ calls: 50, errors: 0 }, { minCalls: 1, errorShare: 0 })).toBeNull();
});
