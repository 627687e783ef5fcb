import { setImmediate as nextTurn } from 'node:timers/promises';
import { MARK_NAME } from './mark.ts';
import { listPidsNow, readEntryNow } from './proc.ts';

/** A bomb that doubles has made some hundred processes in this time, which can still be ended. */
const LOOK_EVERY_MS = 50;
/** What a look reads at once: some milliseconds. Whoever has more new processes waits for the next look. */
const MAX_READ = 300;
/** A bomb that is not over after so many looks in a row is not ended by looking. */
const MAX_CHASE = 400;

interface Watch {
  /** The command itself, which leads a process group. */
  leader: number;
  most: number;
  onExcess: () => void;
}

/** Which mark each process has that has been seen, its parent's where it has cleared its own. */
const seen = new Map<number, { mark: string | null; start: string }>();
const watches = new Map<string, Watch>();
let timer: NodeJS.Timeout | undefined;

/**
 * Calls `onExcess`, once, when more than `most` processes carry `mark` or descend from one that did, and
 * ends them all. Only what is new since the last look is read, at once and not by threads, which a bomb
 * would outrun. Where the system has no /proc nothing is ever found.
 */
export function watchProcessCount(mark: string, pid: number, most: number, onExcess: () => void): () => void {
  if (watches.size === 0) {
    seen.clear();
    // What is there already is somebody else's.
    for (const other of listPidsNow()) seen.set(other, { mark: null, start: '' });
  }
  seen.delete(pid);
  watches.set(mark, { leader: pid, most, onExcess });
  timer ??= setInterval(look, LOOK_EVERY_MS).unref();
  return () => {
    watches.delete(mark);
    if (watches.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function look(): void {
  const alive = listMarked();
  for (const [mark, { leader, most, onExcess }] of watches) {
    const found = alive.get(mark) ?? [];
    if (found.length <= most) continue;
    watches.delete(mark);
    // All of a group at once: none of them can start another one meanwhile. What left the group is chased.
    endNow(-leader);
    void chase(mark, found);
    onExcess();
  }
}

/** Ends whatever carries the mark, faster than it can start more. */
async function chase(mark: string, found: readonly number[]): Promise<void> {
  let pids = found;
  for (let looks = 0; looks < MAX_CHASE && pids.length > 0; looks += 1) {
    for (const pid of pids) endNow(pid);
    await nextTurn();
    pids = listMarked().get(mark) ?? [];
  }
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself, or changed its user: there is nothing that we could do about the latter.
  }
}

/** The living processes of each mark. */
function listMarked(): Map<string, number[]> {
  const pids = listPidsNow();
  const present = new Set(pids);
  for (const pid of seen.keys()) if (!present.has(pid)) seen.delete(pid);
  const marked = new Map<string, number[]>();
  let read = 0;
  for (const pid of pids) {
    const known = seen.get(pid);
    if ((known && known.mark === null) || read >= MAX_READ) continue;
    read += 1;
    const entry = readEntryNow(pid, known ? null : MARK_NAME);
    // A number that was given to another process is read anew in the next look.
    if (!entry || (known && known.start !== entry.start)) {
      seen.delete(pid);
      continue;
    }
    // Parents come before their children in the listing, but for numbers that have begun anew.
    const mark = known ? known.mark : (entry.mark ?? seen.get(entry.parent)?.mark ?? null);
    if (!known) seen.set(pid, { mark, start: entry.start });
    if (mark !== null) marked.set(mark, [...(marked.get(mark) ?? []), pid]);
  }
  return marked;
}
