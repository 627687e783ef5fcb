import type { HealthPolicy } from '../policy.ts';

/** The last observations with one more, as many as the policy looks at. */
export function addRecent(recent: string, good: boolean, { probes }: HealthPolicy['flapping']): string {
  return `${recent}${good ? 'g' : 'b'}`.slice(-probes);
}

/**
 * Whether a server flaps: the share of its neighbouring observations that differ, of a full window,
 * has reached the one bound and is not below the other yet.
 */
export function isFlapping(recent: string, before: boolean, policy: HealthPolicy['flapping']): boolean {
  let changes = 0;
  for (let index = 1; index < recent.length; index += 1) {
    if (recent[index] !== recent[index - 1]) changes += 1;
  }
  // Without a change nothing flaps, even where the policy's lower bound is 0.
  if (changes === 0) return false;
  const share = changes / Math.max(1, policy.probes - 1);
  return before ? share >= policy.stopShare : share >= policy.startShare;
}
