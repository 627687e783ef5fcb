import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export interface RunningProcess {
  pid: number;
  parent: number;
}

function readStat(pid: string): RunningProcess[] {
  try {
    // The name, in brackets, may hold anything; state and parent follow the last one.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z' ? [] : [{ pid: Number(pid), parent: Number(parent) }];
  } catch {
    // It ended while we were looking.
    return [];
  }
}

/** Every running process, without those that only wait to be collected. */
function listProcesses(): RunningProcess[] {
  if (existsSync('/proc/self/stat'))
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(readStat);
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([pid, , state]) => pid && !state?.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}

/** Everything that `root` started, and what that started. */
export function listDescendants(root: number): number[] {
  const all = listProcesses();
  const found = [root];
  for (const parent of found)
    found.push(...all.filter((item) => item.parent === parent).map(({ pid }) => pid));
  return found.slice(1);
}

export function areRunning(pids: readonly number[]): number[] {
  const running = new Set(listProcesses().map(({ pid }) => pid));
  return pids.filter((pid) => running.has(pid));
}
