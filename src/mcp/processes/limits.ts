import { execFile } from 'node:child_process';
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

/** Why the limiter could not start the command (a missing interpreter, a file of another machine); null when it could. */
export function readRefusal(exitCode: number | null, stderr: string): string | null {
  if (exitCode !== 126 && exitCode !== 127) return null;
  return /^prlimit: failed to execute .*: ([^:\n]+)\n?$/.exec(stderr)?.[1] ?? null;
}
