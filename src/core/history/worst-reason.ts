import { REASON_CODES, REASONS, type Reason, type Verdict } from '../reasons.ts';

/** How many checks ended with which verdict; those that none ended with may be left out. */
export type VerdictCounts = Partial<Record<Verdict, number>>;

/** How many checks gave which reason, `ok` excepted: it goes without saying. */
export type ReasonCounts = Partial<Record<Reason, number>>;

/** The worst first: what a user notices, then what nobody knows, then what was announced. */
export const WORST_FIRST: readonly Verdict[] = [
  'down',
  'unauthenticated',
  'degraded',
  'unknown',
  'waking',
  'maintenance',
  'up',
];

/** What was worst in some time; the reason is null where whoever wrote the checks gave none. */
export interface Worst {
  verdict: Verdict;
  reason: Reason | null;
}

/**
 * The worst verdict that there was, with the reason that most checks of it gave: of reasons that are equally
 * frequent the one that stands first in the list of them, any reason before none. null without any check.
 */
export function worstOf(verdicts: VerdictCounts, reasons: ReasonCounts): Worst | null {
  const verdict = WORST_FIRST.find((candidate) => (verdicts[candidate] ?? 0) > 0);
  if (verdict === undefined) return null;
  if (verdict === 'up') return { verdict, reason: 'ok' };
  let unexplained = verdicts[verdict] ?? 0;
  let worst: Reason | null = null;
  for (const reason of REASON_CODES) {
    const count = reasons[reason] ?? 0;
    if (count === 0 || REASONS[reason].verdict !== verdict) continue;
    unexplained -= count;
    if (worst === null || count > (reasons[worst] ?? 0)) worst = reason;
  }
  return { verdict, reason: worst !== null && (reasons[worst] ?? 0) >= unexplained ? worst : null };
}
