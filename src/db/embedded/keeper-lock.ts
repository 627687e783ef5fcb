import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startOf } from './process-identity.ts';

export interface KeeperLock {
  release(): Promise<void>;
}

const NAME = /^keeper\.lock\.(\d+)$/;
/** A lock file without content is one that is just being written, unless it is older than this. */
const WRITING_MS = 5_000;

async function generations(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  const numbers = names.map((name) => NAME.exec(name)?.[1]).filter((found) => found !== undefined);
  return numbers.map(Number).sort((a, b) => a - b);
}

async function isHeld(path: string): Promise<boolean> {
  const content = await readFile(path, 'utf8');
  if (content === 'free') return false;
  const [pid, startedAt] = content.split(' ');
  if (pid === undefined || startedAt === undefined)
    return Date.now() - (await stat(path)).mtimeMs < WRITING_MS;
  return (await startOf(Number(pid))) === decodeURIComponent(startedAt);
}

/**
 * Takes the data folder for this process, or says undefined when a living process has it. A killed
 * holder frees it.
 *
 * The lock is a file with a number. Taking over from a dead holder makes the next number, which only
 * one process can; numbers never go back, and whoever finds a higher one than its own has lost, so a
 * process that slept between looking and making cannot take a lock that moved on meanwhile.
 */
export async function takeKeeperLock(folder: string): Promise<KeeperLock | undefined> {
  for (;;) {
    const highest = (await generations(folder)).at(-1) ?? 0;
    const file = (number: number) => join(folder, `keeper.lock.${number}`);
    try {
      if (highest > 0 && (await isHeld(file(highest)))) return undefined;
      const identity = `${process.pid} ${encodeURIComponent((await startOf(process.pid)) ?? '')}`;
      await writeFile(file(highest + 1), identity, { flag: 'wx' });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EEXIST' || code === 'ENOENT') continue; // it moved on while we looked
      throw error;
    }
    const now = await generations(folder);
    if (now.some((number) => number > highest + 1)) {
      await rm(file(highest + 1), { force: true });
      continue;
    }
    for (const old of now) if (old <= highest) await rm(file(old), { force: true });
    return {
      async release() {
        const draft = join(folder, `keeper.free.${process.pid}`);
        await writeFile(draft, 'free');
        await rename(draft, file(highest + 1));
      },
    };
  }
}
