import type { PhaseTimes, ProbeOutcome } from '../core/outcome.ts';
import type { Reason, Verdict } from '../core/reasons.ts';
import type { TransportType } from '../core/target.ts';

/** What is counted of one finished probe. */
export interface ProbeRecord {
  /** null when the probe ended before a transport was known. */
  transport: TransportType | null;
  verdict: Verdict;
  reason: Reason;
  phases: PhaseTimes;
  totalMs: number;
  footprint: ProbeOutcome['footprint'];
}
