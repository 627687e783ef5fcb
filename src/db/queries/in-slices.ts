import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInSlices, type Sliced, type SlicePace } from '../../core/slices.ts';

/** A few milliseconds at a time: several probes may be at it before anybody waits for 50. */
const PACE: SlicePace = { budgetMs: 5, nowMs: () => performance.now(), pause: () => nextTurn() };

/** Work on what servers sent, with everything else having its turn in between. */
export function inSlices<Result>(work: Sliced<Result>): Promise<Result> {
  return runInSlices(work, PACE);
}
