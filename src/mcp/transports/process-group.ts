import type { ChildProcess } from 'node:child_process';

const POLL_MS = 5;
/** How the grace is shared out: a polite end first, most of it for what does not listen. */
const EOF_SHARE = 0.35;
const TERM_SHARE = 0.35;
const KILL_WAIT_MS = 100;

/** The groups that are alive now, by the pid of their leader. */
const live = new Set<number>();

/** The last that this process does, however it ends: a child that does not heed EOF would outlive it. */
function killAll(): void {
  for (const pid of live) signalGroup(pid, 'SIGKILL');
}

/** Remembers the group that a new child leads, until `endProcessGroup` has ended it. */
export function rememberProcessGroup(pid: number): void {
  if (live.size === 0 && !process.listeners('exit').includes(killAll)) process.on('exit', killAll);
  live.add(pid);
}

/** Sends a signal to the whole group that `pid` leads; false when nobody of it is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // EPERM: somebody is there whom we may not signal (a setuid program); anything else: nobody is.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function exited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Waits for the child's own end; true when it came within `waitMs`. */
function awaitExit(child: ChildProcess, waitMs: number): Promise<boolean> {
  if (exited(child)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (ended: boolean) => {
      clearTimeout(timer);
      child.off('exit', onExit);
      resolve(ended);
    };
    const onExit = () => settle(true);
    const timer = setTimeout(() => settle(false), waitMs);
    child.once('exit', onExit);
  });
}

async function awaitGroupGone(pid: number, waitMs: number): Promise<boolean> {
  const until = performance.now() + waitMs;
  while (signalGroup(pid, 0)) {
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/**
 * Ends a child that leads its own process group, and all of that group: closes its stdin, then SIGTERM,
 * then SIGKILL. Grandchildren that outlive the child are ended too.
 */
export async function endProcessGroup(child: ChildProcess, graceMs: number): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const startedAt = performance.now();
  const left = () => Math.max(0, graceMs - (performance.now() - startedAt));
  child.stdin?.end();
  if (!(await awaitExit(child, graceMs * EOF_SHARE))) {
    signalGroup(pid, 'SIGTERM');
    await awaitExit(child, graceMs * TERM_SHARE);
  }
  if (exited(child) && signalGroup(pid, 'SIGTERM'))
    await awaitGroupGone(pid, Math.min(left(), graceMs * 0.2));
  if (signalGroup(pid, 'SIGKILL')) {
    await awaitExit(child, Math.max(left(), KILL_WAIT_MS));
    // Nobody survives SIGKILL, but one that its parent does not reap is still counted: no use waiting for it.
    await awaitGroupGone(pid, KILL_WAIT_MS);
  }
  // From now on the number may be given to somebody else.
  live.delete(pid);
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
}
