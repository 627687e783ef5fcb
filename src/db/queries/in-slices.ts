import { createTurns, runInSlices, type Sliced, type SlicePace } from '../../core/slices.ts';

/** A few milliseconds at a time, and one at a time: a hundred probes at it hold up nobody longer than one. */
const PACE: SlicePace = {
  budgetMs: 5,
  nowMs: () => performance.now(),
  pause: createTurns((callback) => void setImmediate(callback)),
};

/** Work on what servers sent, with everything else having its turn before it and in between. */
export async function inSlices<Result>(work: Sliced<Result>): Promise<Result> {
  return await runInSlices(work, PACE);
}

/** Lets everything else have its turn. */
export const takeTurns = (): Promise<unknown> => PACE.pause();
