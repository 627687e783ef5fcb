import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PRELOAD_URL } from './preload.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 2000;
const KEPT_STDERR = 2000;

export interface ChildServer {
  port: number;
  stop(): Promise<void>;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the group is gone, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    signalGroup(child, 'SIGTERM');
    const escalation = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(escalation);
  }
}

function awaitPort(child: ChildProcess, name: string, stderr: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => {
      clearTimeout(timer);
      reject(new Error(`the demo server ${name} ${what}${stderr() ? `: ${stderr()}` : ''}`));
    };
    const endedEarly = (code: number | null, signal: string | null) =>
      fail(`ended at once (${signal ?? code})`);
    const timer = setTimeout(() => fail(`did not listen within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    child.once('exit', endedEarly);
    child.once('message', (message: unknown) => {
      clearTimeout(timer);
      child.off('exit', endedEarly);
      if (typeof message === 'object' && message !== null && 'port' in message) resolve(Number(message.port));
      else fail('said something unexpected');
    });
  });
}

/**
 * Starts a server from npm on a free loopback port, in a process group of its own. It gets nothing of
 * our environment, which may hold passwords.
 */
export async function startChildServer(
  name: string,
  [script, ...args]: readonly [string, ...string[]],
  environment: Record<string, string> = {},
): Promise<ChildServer> {
  const child = spawn(process.execPath, ['--import', PRELOAD_URL, script, ...args], {
    detached: true,
    env: environment,
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  });
  // Whatever it started may outlive it; now, as long as its group can be nobody else's.
  child.once('exit', () => signalGroup(child, 'SIGKILL'));
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_STDERR);
  });
  try {
    const port = await awaitPort(child, name, () => said.trim());
    return { port, stop: () => stopChild(child) };
  } catch (error) {
    await stopChild(child);
    throw error;
  }
}
