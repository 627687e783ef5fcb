/** Calls back when as much time has passed, or sooner, when nobody else has a use for the loop. */
export type Rest = (forMs: number, goOn: () => void) => void;

/** The loop had something to do when it took longer for a turn with nothing of ours in it. */
const IDLE_TURN_MS = 0.1;
/** Waiting for that long of a millisecond, the loop had next to nothing to do. */
const IDLE_MS = 0.8;

/** Lets everybody else have a turn as long as they have something to do in it. */
export function giveWay(forMs: number, goOn: () => void): void {
  const untilMs = performance.now() + forMs;
  const look = (sinceMs: number) => {
    const nowMs = performance.now();
    if (nowMs >= untilMs || nowMs - sinceMs < IDLE_TURN_MS) goOn();
    else setImmediate(look, nowMs);
  };
  setImmediate(look, performance.now());
}

/** Sleeps for a millisecond, and again as long as others had a use for the loop meanwhile. */
export function stepAside(forMs: number, goOn: () => void): void {
  const untilMs = performance.now() + forMs;
  const look = (before: number) => {
    const { idle } = performance.eventLoopUtilization();
    if (performance.now() >= untilMs || idle - before > IDLE_MS) goOn();
    else setTimeout(look, 1, idle);
  };
  setTimeout(look, 1, performance.eventLoopUtilization().idle);
}
