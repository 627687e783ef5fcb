import { readFileSync } from 'node:fs';

/** Whether a process is still at work; one that is dead and not yet reaped by its parent is not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
