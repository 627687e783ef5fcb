/** Runs so many tasks at once and the others in turn; one that nobody wants any more is not begun. */
export function createLane(
  width: number,
): <T>(isWanted: () => boolean, task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (isWanted, task) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      if (!isWanted()) throw Object.assign(new Error('nobody waits for it any more'), { code: 'ECANCELLED' });
      return await task();
    } finally {
      // The place goes to the next one, without being free in between.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
