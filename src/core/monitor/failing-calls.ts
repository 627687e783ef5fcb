import type { HealthContext } from '../health/context.ts';
import type { CallsPolicy } from '../policy.ts';

/** Real calls of one server within the policy's window. */
export interface CallCounts {
  calls: number;
  errors: number;
}

/**
 * The status codes that are a failure of the server's making: 5xx. A call that was refused for its
 * credentials (401, 403), its rate (429) or its form (any other 4xx) is the caller's, and says nothing.
 */
export const ERROR_STATUS = { from: 500, to: 599 } as const;

/** The counts, when enough calls fail to say that something is wrong; null otherwise. */
export function failingCallsOf(
  { calls, errors }: CallCounts,
  { minCalls, errorShare }: Pick<CallsPolicy, 'minCalls' | 'errorShare'>,
): HealthContext['failingCalls'] {
  // Without one error nothing fails, whatever share was asked for.
  if (calls < minCalls || errors === 0) return null;
  return errors / calls >= errorShare ? { calls, errors } : null;
}
