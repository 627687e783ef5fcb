import { setTimeout as sleep } from 'node:timers/promises';
import { MARK_NAME, type Owner, ownerOfMark } from './mark.ts';
import { createProcessList, type ProcessEntry, startOf } from './proc.ts';

const listProcesses = createProcessList(MARK_NAME);
/** Whoever forks faster than this many looks cannot be ended by looking. */
const ROUNDS = 8;
/** A process that was killed is gone when the kernel has come round to it, which takes its time on a busy machine. */
const GONE_WITHIN_MS = 1_000;

/** Ends a process, unless its pid is somebody else's by now. */
async function kill({ pid, start }: ProcessEntry, signal: NodeJS.Signals): Promise<void> {
  if ((await startOf(pid)) !== start) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself, or changed its user: there is nothing that we could do about the latter.
  }
}

/** All that descends from the given ones, themselves included. */
function withDescendants(roots: readonly ProcessEntry[], all: readonly ProcessEntry[]): ProcessEntry[] {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of all) children.set(entry.parent, [...(children.get(entry.parent) ?? []), entry]);
  const found = new Map<number, ProcessEntry>();
  const open = [...roots];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    if (found.has(entry.pid)) continue;
    found.set(entry.pid, entry);
    open.push(...(children.get(entry.pid) ?? []));
  }
  return [...found.values()];
}

/** What descends from the process `pid` now: also what has left its group and cleared its environment. */
export async function descendantsOf(pid: number): Promise<ProcessEntry[]> {
  const all = await listProcesses();
  return withDescendants(
    all.filter((entry) => entry.pid === pid),
    all,
  ).filter((entry) => entry.pid !== pid);
}

/** Resolves when none of them is there any more; one that hangs in the kernel is not waited for for long. */
async function awaitGone(entries: readonly ProcessEntry[]): Promise<void> {
  const until = performance.now() + GONE_WITHIN_MS;
  for (const { pid, start } of entries)
    while ((await startOf(pid)) === start && performance.now() < until) await sleep(2);
}

/**
 * Ends every process that `isMeant`, and what descends from them, until a look finds none. They are
 * stopped first, so that none starts another one while the next is being ended. Returns how many.
 */
async function endAll(isMeant: (entry: ProcessEntry) => boolean): Promise<number> {
  const ended = new Set<number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = await listProcesses();
    const meant = withDescendants(all.filter(isMeant), all).filter((entry) => entry.pid !== process.pid);
    if (meant.length === 0) break;
    for (const entry of meant) await kill(entry, 'SIGSTOP');
    for (const entry of meant) {
      await kill(entry, 'SIGKILL');
      ended.add(entry.pid);
    }
    await awaitGone(meant);
  }
  return ended.size;
}

/** Ends what is left of one probe: what carries its mark, and those that were known to descend from it. */
export function endMarked(mark: string, known: readonly ProcessEntry[]): Promise<number> {
  const starts = new Map(known.map(({ pid, start }) => [pid, start]));
  return endAll((entry) => entry.mark === mark || starts.get(entry.pid) === entry.start);
}

/**
 * Ends what a worker of the same data folder left behind when it was killed. Only what carries a mark of
 * that folder, made by a process that is no more: other workers of the folder keep their children.
 */
export async function endLeftovers(owner: Owner): Promise<number> {
  const alive = new Map<string, boolean>();
  for (const { mark } of await listProcesses()) {
    const maker = mark === null ? null : ownerOfMark(mark);
    if (!maker || maker.id !== owner.id) continue;
    const key = `${maker.pid}:${maker.start}`;
    if (!alive.has(key)) alive.set(key, (await startOf(maker.pid)) === maker.start);
  }
  if (![...alive.values()].includes(false)) return 0;
  return await endAll(({ mark }) => {
    const maker = mark === null ? null : ownerOfMark(mark);
    return maker !== null && maker.id === owner.id && alive.get(`${maker.pid}:${maker.start}`) === false;
  });
}
