export interface LoopWatchdog {
  /** By how many milliseconds the event loop is, or was at its last turn, behind its timer. */
  delayMs(): number;
  stop(): void;
}

/** Watches the event loop with a timer of its own; it keeps no process alive. */
export function startLoopWatchdog(intervalMs = 250): LoopWatchdog {
  let lastTurn = performance.now();
  let lastDelay = 0;
  const overdue = () => Math.max(0, performance.now() - lastTurn - intervalMs);
  const timer = setInterval(() => {
    lastDelay = overdue();
    lastTurn = performance.now();
  }, intervalMs).unref();
  return {
    // Requests may be served before the timer after a long block: then the timer is overdue now.
    delayMs: () => Math.round(Math.max(lastDelay, overdue())),
    stop: () => clearInterval(timer),
  };
}
