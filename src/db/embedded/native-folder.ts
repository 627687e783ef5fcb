import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';

interface Link {
  /** Both relative to the package's folder, the parent of native/. */
  source: string;
  target: string;
}

function readLinks(native: string): Link[] {
  const list = join(native, 'pg-symlinks.json');
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : [];
}

/**
 * Makes the links between libraries that npm packages cannot hold (their install script would, but
 * npm may be told to run none). Says whether all of them are there in the end.
 */
export async function linkLibraries(native: string): Promise<boolean> {
  const root = resolve(native, '..');
  for (const { source, target } of readLinks(native)) {
    // The list says native/…; a copy of the folder may have another name.
    const place = join(root, basename(native), relative('native', target));
    if (existsSync(place)) continue;
    try {
      await symlink(relative(dirname(target), source), place);
    } catch (error) {
      // EEXIST: another process was faster. Anything else: a read-only folder, so a copy is needed.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) return false;
    }
  }
  return true;
}

/** A whole copy of the binaries (60 MB) at `target`, made beside it and renamed, so never half there. */
export async function copyNative(native: string, target: string): Promise<string> {
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const draft = await mkdtemp(`${target}.new-`);
  try {
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await linkLibraries(draft);
    for (const name of await readdir(join(draft, 'bin'))) await chmod(join(draft, 'bin', name), 0o755);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process finished the same copy first: its copy is as good.
    if (!existsSync(target)) throw error;
  }
  return target;
}
