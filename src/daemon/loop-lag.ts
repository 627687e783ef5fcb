import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const KEPT = 12;

/** How far the event loop was behind, at the worst of the last minute. */
export function startLoopLag(): { worstMs(): number; turn(): void; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const worst: number[] = [];
  const nowMs = (): number => Math.max(0, histogram.max / 1e6 - RESOLUTION_MS);
  return {
    worstMs: () => Math.max(nowMs(), ...worst),
    /** Called every five seconds: twelve of those are the minute. */
    turn() {
      worst.push(nowMs());
      if (worst.length > KEPT) worst.shift();
      histogram.reset();
    },
    stop: () => void histogram.disable(),
  };
}
