import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Watched, WatchOrder } from '../fixtures/probe-watcher.ts';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** What a probe of any target may take of memory, over what the process has without one. */
const MAX_ABOVE_IDLE_MB = 64;
/** The deadline, the grace, and as much again for a busy machine. */
const settledByMs = (timeoutMs: number) => (timeoutMs + 1_000) * 3;

/** A prober in a process of its own, which is watched: one probe at a time. */
export interface WatchedProber {
  probe(order: WatchOrder): Promise<Watched>;
  close(): void;
}

/** Starts the process; it is warm when this resolves. */
export async function startWatchedProber(): Promise<WatchedProber> {
  const child = fork(path('../fixtures/probe-watcher.ts'), {
    execArgv: ['--expose-gc', '--import', path('typescript-loader.mjs')],
    serialization: 'advanced',
  });
  const answer = async (): Promise<unknown> => {
    const gone = new AbortController();
    const onEnd = (code: number | null) => gone.abort(new Error(`the watched process ended with ${code}`));
    child.once('exit', onEnd);
    try {
      const [message] = await once(child, 'message', { signal: gone.signal });
      return message;
    } catch (error) {
      throw gone.signal.aborted ? gone.signal.reason : error;
    } finally {
      child.off('exit', onEnd);
    }
  };
  await answer();
  let last: Promise<unknown> = Promise.resolve();
  return {
    probe(order) {
      const next = last.then(() => {
        const answered = answer();
        child.send(order);
        return answered as Promise<Watched>;
      });
      last = next.catch(() => undefined);
      return next;
    },
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
}

/** What holds of every probe, whatever its target does: it ends in time, costs little and leaves nothing. */
export function expectHeld(watched: Watched, timeoutMs: number): void {
  const { outcome, footprint, elapsedMs, aboveIdleMb, isPolluted, told } = watched;
  const { sessionsOpen, socketsOpen, childrenLive } = footprint;
  expect({ sessionsOpen, socketsOpen, childrenLive }).toEqual({
    sessionsOpen: 0,
    socketsOpen: 0,
    childrenLive: 0,
  });
  expect(outcome.footprint.sessionsClosed).toBeLessThanOrEqual(outcome.footprint.sessionsOpened);
  expect(elapsedMs, 'time').toBeLessThan(settledByMs(timeoutMs));
  expect(aboveIdleMb, 'memory above idle').toBeLessThan(MAX_ABOVE_IDLE_MB);
  expect(isPolluted).toBe(false);
  expect(told.reason, told.message).not.toBe('internal');
}
