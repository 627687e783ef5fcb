import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Owner } from './mark.ts';
import { startOf } from './proc.ts';

/** The id of a data folder, made at the first start: what children are marked with, to be known again. */
export async function readFolderId(dataDir: string): Promise<string> {
  const file = join(dataDir, 'worker-id');
  await mkdir(dataDir, { recursive: true });
  await writeFile(file, randomUUID(), { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const id = (await readFile(file, 'utf8')).trim();
  if (!/^[\w-]{8,64}$/.test(id)) throw new Error(`${file} holds no id: remove it`);
  return id;
}

const run = promisify(execFile);

/** Removes what a child worked in, whatever that has made of it; a link in its place is removed alone. */
async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 2 });
  } catch (error) {
    // Nested deeper than a path may be long, or closed even to its owner: rm goes down step by step.
    if (!(await lstat(folder)).isDirectory()) throw error;
    await run('chmod', ['-R', 'u+rwx', '--', folder]);
    await run('rm', ['-rf', '--', folder]);
  }
}

/** Folders that children work in, one each, empty at first. */
export interface WorkFolders {
  make(): Promise<string>;
  remove(folder: string): Promise<void>;
}

const nameOf = ({ pid, start }: Owner) => `${pid}-${start}-`;

/** Work folders below the data folder; those that a killed worker left are removed first. */
export async function openWorkFolders(dataDir: string, owner: Owner): Promise<WorkFolders> {
  const parent = join(dataDir, 'work');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    const [pid = '', start] = name.split('-');
    if (/^\d+$/.test(pid) && (await startOf(Number(pid))) !== start) await removeTree(join(parent, name));
  }
  return {
    async make() {
      const folder = join(parent, `${nameOf(owner)}${randomUUID()}`);
      await mkdir(folder, { mode: 0o700 });
      return folder;
    },
    remove: removeTree,
  };
}
