/** What a start made and a stop must end: named, ended last first, each within the time that is left. */
export interface Lifecycle {
  /** Registers what ends a thing, right after the thing was made. */
  onStop(name: string, end: () => Promise<void> | void): void;
  /** Ends all of it; a second call waits for the first. Rejects with every end that failed or hung. */
  stop(budgetMs: number): Promise<void>;
}

export function createLifecycle(onStep: (name: string) => void): Lifecycle {
  const steps: { name: string; end: () => Promise<void> | void }[] = [];
  let stopping: Promise<void> | null = null;

  async function stopAll(budgetMs: number): Promise<void> {
    const deadline = performance.now() + budgetMs;
    const leastMs = Math.min(1000, budgetMs / 4);
    const problems: Error[] = [];
    for (const { name, end } of steps.reverse()) {
      onStep(name);
      try {
        // A step that hangs must not take all the time of those behind it.
        await withinMs(name, Math.max(leastMs, deadline - performance.now()), async () => end());
      } catch (error) {
        problems.push(
          new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }),
        );
      }
    }
    if (problems.length > 0)
      throw new AggregateError(problems, problems.map((problem) => problem.message).join('; '));
  }

  return {
    onStop(name, end) {
      steps.push({ name, end });
    },
    stop(budgetMs) {
      stopping ??= stopAll(budgetMs);
      return stopping;
    },
  };
}

/** Rejects when `work` has not ended within `ms`; the work itself goes on, abandoned. */
export async function withinMs<Result>(
  name: string,
  ms: number,
  work: () => Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not end within ${Math.round(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
