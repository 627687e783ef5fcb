import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { platform } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

async function ask(format: string, pid: number): Promise<string | undefined> {
  const answer = await run('ps', ['-o', `${format}=`, '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '', // no such process, or no ps
  );
  return answer === '' ? undefined : answer;
}

/** Whether a process has that id at all; it may be another one than was meant. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return true;
}

/** Sends a signal; false when the process has just gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * When a process began, as a word to compare: with its id it tells a process from a later one that
 * was given the same id. Undefined when there is none; one that ended and was not yet reaped is none.
 */
export async function startOf(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined;
  if (platform() !== 'linux') return (await ask('lstart', pid)) ?? 'unknown';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and parentheses; the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined; // it ended between the two looks
  }
}

/** Whether the process works in that folder, which a PostgreSQL server does in its data folder. */
export async function worksIn(pid: number, folder: string): Promise<boolean> {
  if ((await startOf(pid)) === undefined) return false;
  if (platform() === 'linux') {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      return false; // another user's process: not ours
    }
  }
  return (await ask('command', pid))?.includes(folder) ?? false;
}
