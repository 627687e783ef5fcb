import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { ProbeLimits } from '../limits.ts';

const run = promisify(execFile);
const PRLIMIT = ['/usr/bin/prlimit', '/bin/prlimit'];

/**
 * What one process of a stdio server may use. Memory is what it writes to (RLIMIT_DATA): the address space
 * (RLIMIT_AS) would be the wrong thing to bound, as V8 and others reserve far more of it than they use.
 */
const MEMORY_BYTES = 2 * 1024 * 1024 * 1024;
const OPEN_FILES = 4096;
/** Where exec looks when nobody says. */
const DEFAULT_PATH = '/bin:/usr/bin';

const limitWords = (program: string, cpuSeconds: number) => [
  program,
  `--data=${MEMORY_BYTES}`,
  `--cpu=${cpuSeconds}`,
  `--nofile=${OPEN_FILES}`,
  '--core=0',
  '--',
];

let found: Promise<string | null> | undefined;

/** The words that put limits before a command; null where the system has no prlimit that works. Looked for once. */
export async function findLimiter({ cpuSeconds }: Pick<ProbeLimits, 'cpuSeconds'>): Promise<string[] | null> {
  found ??= findProgram(cpuSeconds);
  const program = await found;
  return program === null ? null : limitWords(program, cpuSeconds);
}

async function findProgram(cpuSeconds: number): Promise<string | null> {
  for (const program of PRLIMIT) {
    const [first = '', ...words] = limitWords(program, cpuSeconds);
    // Whether it may set them all: a lower hard limit of our own would make every command fail.
    const works = await run(first, [...words, '/bin/true']).then(
      () => true,
      () => false,
    );
    if (works) return program;
  }
  return null;
}

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

/** Why the limiter could not start the command (a missing interpreter, a file of another machine); null when it could. */
export function readRefusal(exitCode: number | null, stderr: string): string | null {
  if (exitCode !== 126 && exitCode !== 127) return null;
  return /^prlimit: failed to execute .*: ([^:\n]+)\n?$/.exec(stderr)?.[1] ?? null;
}
