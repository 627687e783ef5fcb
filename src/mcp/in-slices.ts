import { createTurns, runInSlices, type Sliced } from '../core/slices.ts';

const BUDGET_MS = 5;
const pause = createTurns((callback) => void setImmediate(callback));

/**
 * Work on what a target sent, a few milliseconds at a time, and one probe's at a time: many of them hold
 * up nobody longer than one. Rejects, instead of going on, once `isOver` says so.
 */
export function inSlices<Result>(work: Sliced<Result>, isOver: () => boolean = () => false): Promise<Result> {
  return runInSlices(work, {
    budgetMs: BUDGET_MS,
    nowMs: () => performance.now(),
    async pause() {
      await pause();
      if (isOver()) throw new Error('the probe is over');
    },
  });
}
