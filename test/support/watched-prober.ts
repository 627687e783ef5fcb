import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Watched, WatchOrder } from '../fixtures/probe-watcher.ts';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** What a probe of any target may take of memory, over what the process has without one. */
const MAX_ABOVE_IDLE_MB = 64;
/** How long nobody else may have a turn of the loop, in CPU time. */
const MAX_TURN_MS = 50;
/** The deadline, the grace, and as much again for a busy machine. */
const settledByMs = (timeoutMs: number) => (timeoutMs + 1_000) * 3;

/** A prober in a process of its own, which is watched. */
export interface WatchedProber {
  /** One that is not alone costs what all that are probed at the time cost. */
  probe(order: WatchOrder, isAlone: boolean): Promise<Watched>;
  close(): void;
}

interface Answer {
  number: number;
  watched?: Watched;
}

/** Starts the process; it is warm when this resolves. */
export async function startWatchedProber(): Promise<WatchedProber> {
  const child = fork(path('../fixtures/probe-watcher.ts'), {
    execArgv: ['--expose-gc', '--import', path('typescript-loader.mjs')],
    serialization: 'advanced',
  });
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  let end: Error | null = null;
  child.once('exit', (code) => {
    end = new Error(`the watched process ended with ${code}`);
    for (const { reject } of waiting.values()) reject(end);
  });
  child.on('message', (answer: Answer) => waiting.get(answer.number)?.resolve(answer));
  const answerTo = (number: number): Promise<Answer> => {
    if (end) return Promise.reject(end);
    return new Promise<Answer>((resolve, reject) => waiting.set(number, { resolve, reject })).finally(() =>
      waiting.delete(number),
    );
  };
  await answerTo(0);
  let last = 0;
  let alone: Promise<unknown> = Promise.resolve();
  let everybody: Promise<unknown> = Promise.resolve();
  return {
    probe(order, isAlone) {
      const before = isAlone ? everybody : alone;
      const next = before.then(async () => {
        last += 1;
        const answered = answerTo(last);
        child.send({ number: last, order });
        const { watched } = await answered;
        return watched ?? expect.fail('the watched process has not said what it saw');
      });
      const settled = next.catch(() => undefined);
      if (isAlone) alone = settled;
      everybody = Promise.all([everybody, settled]);
      return next;
    },
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
}

/** Whether it cost more than a probe may: by itself, or because of others, or of a machine that took its time. */
export function costsTooMuch({ aboveIdleMb, longestTurnMs }: Watched): boolean {
  return aboveIdleMb >= MAX_ABOVE_IDLE_MB || longestTurnMs >= MAX_TURN_MS;
}

/** What holds of every probe, whatever its target does: it ends in time, costs little and leaves nothing. */
export function expectHeld(watched: Watched, timeoutMs: number): void {
  const { outcome, footprint, held, elapsedMs, aboveIdleMb, longestTurnMs, isPolluted, told } = watched;
  const { sessionsOpen, socketsOpen, childrenLive } = footprint;
  expect({ sessionsOpen, socketsOpen, childrenLive, held }).toEqual({
    sessionsOpen: 0,
    socketsOpen: 0,
    childrenLive: 0,
    held: [],
  });
  expect(outcome.footprint.sessionsClosed).toBeLessThanOrEqual(outcome.footprint.sessionsOpened);
  expect(elapsedMs, 'time').toBeLessThan(settledByMs(timeoutMs));
  expect(aboveIdleMb, 'memory above idle').toBeLessThan(MAX_ABOVE_IDLE_MB);
  expect(longestTurnMs, 'CPU time of a turn').toBeLessThan(MAX_TURN_MS);
  expect(isPolluted).toBe(false);
  expect(told.reason, told.message).not.toBe('internal');
}
