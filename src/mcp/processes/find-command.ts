import { access, constants, open, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** Where exec looks when nobody says. */
const DEFAULT_PATH = '/bin:/usr/bin';

/** The file that a command names, as exec would find it; null when it finds none, which exec tells best. */
export async function findCommand(
  command: string,
  searchPath: string | undefined,
  cwd: string | undefined,
): Promise<string | null> {
  // A folder has the same permission, and means another thing by it.
  const isRunnable = async (path: string) => {
    const [allowed, file] = await Promise.allSettled([access(path, constants.X_OK), stat(path)]);
    return allowed.status === 'fulfilled' && file.status === 'fulfilled' && file.value.isFile();
  };
  if (command.includes('/')) {
    const path = isAbsolute(command) ? command : resolve(cwd ?? process.cwd(), command);
    return (await isRunnable(path)) ? path : null;
  }
  for (const folder of (searchPath ?? DEFAULT_PATH).split(delimiter)) {
    // An empty or relative folder means the working folder, which is not ours to run programs of.
    if (!isAbsolute(folder)) continue;
    const path = join(folder, command);
    if (await isRunnable(path)) return path;
  }
  return null;
}

/** As much as shows what a file is. */
const HEAD_BYTES = 256;

/**
 * Whether a file that may be run is a text that does not name its interpreter: the C library would have a
 * shell run it, and no command of ours gets a shell.
 */
export async function needsShell(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  // What may be run and not be read is a program.
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    return !head.includes(0) && head.toString('latin1', 0, 2) !== '#!';
  } finally {
    await file.close();
  }
}
