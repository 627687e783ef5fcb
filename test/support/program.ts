import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Program {
  child: ChildProcess;
  pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves with the match once standard output holds it; rejects when the program ends before. */
  waitFor(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>;
  /** Resolves with the exit code and the signal. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** What a test passes on of its own environment: none of its database, its queue or its loaders. */
function cleanEnvironment(changes: Record<string, string>): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, LANG: 'C.UTF-8', VITALS_HTTP_PORT: '0', ...changes };
}

/** The built program as a user starts it, in a folder of its own; `home` is where it is installed. */
export function startProgram(
  args: string[],
  cwd: string,
  environment: Record<string, string> = {},
  home = root,
): Program {
  const child = spawn(process.execPath, [`${home}/dist/src/main.js`, ...args], {
    cwd,
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid === undefined) throw new Error('the program did not start');
  let stdout = '';
  let stderr = '';
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });

  function waitFor(pattern: RegExp, deadlineMs = 60_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) =>
        reject(new Error(`${why} before ${pattern}\n${stdout}\n${stderr.slice(-4000)}`));
      const timer = setTimeout(() => fail(`${deadlineMs} ms passed`), deadlineMs);
      const look = () => {
        const match = pattern.exec(stdout);
        if (!match) return;
        clearTimeout(timer);
        child.stdout?.off('data', look);
        resolve(match);
      };
      child.stdout?.on('data', look);
      void ended.then(() => {
        clearTimeout(timer);
        fail('the program ended');
      });
      look();
    });
  }

  return { child, pid: child.pid, stdout: () => stdout, stderr: () => stderr, waitFor, ended };
}

/** Runs a command to its end. */
export async function runProgram(args: string[], cwd: string, environment: Record<string, string> = {}) {
  const program = startProgram(args, cwd, environment);
  const { code } = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

/** A port of loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Every process below this one, however deep, with the start time that tells it from a later one of its number. */
export function descendantsOf(pid: number): { pid: number; startTime: string }[] {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const fields = readStat(Number(name));
      return fields ? [{ pid: Number(name), parent: Number(fields[1]), startTime: fields[19] ?? '' }] : [];
    });
  const found: { pid: number; startTime: string }[] = [];
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const entry of processes) {
      if (entry.parent !== parent) continue;
      found.push({ pid: entry.pid, startTime: entry.startTime });
      queue.push(entry.pid);
    }
  }
  return found;
}

/** Those of the processes that still run. */
export function stillRunning(processes: { pid: number; startTime: string }[]): number[] {
  return processes
    .filter(({ pid, startTime }) => {
      const fields = readStat(pid);
      return fields !== undefined && fields[0] !== 'Z' && fields[19] === startTime;
    })
    .map(({ pid }) => pid);
}

/** The fields of /proc/<pid>/stat from the state on; undefined when the process is gone. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
