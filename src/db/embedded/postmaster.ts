import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedDatabaseError } from '../errors.ts';
import type { Binaries } from './binaries.ts';
import { type Layout, serverEnvironment } from './cluster.ts';
import { sendSignal, startOf, worksIn } from './process-identity.ts';

/** A running PostgreSQL server of ours, started by this process or by one that was killed. */
export interface Postmaster {
  pid: number;
  port: number;
  /** Resolves when the server has ended, whatever ended it. */
  ended: Promise<void>;
}

const READY_MS = 120_000;
const ATTEMPTS = 8;
const LOOK_MS = 20;

interface PidFile {
  pid: number;
  port: number;
  ready: boolean;
}

/** postmaster.pid: process id, folder, start time, port, …, and in its eighth line the state. */
async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  const lines = await readFile(join(cluster, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [], // none, or just removed
  );
  const pid = Number(lines[0]);
  if (!(pid > 0)) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

async function waitForEnd(pid: number): Promise<void> {
  while ((await startOf(pid)) !== undefined) await sleep(250);
}

/**
 * The server that a killed keeper left behind on this cluster, once it is ready; undefined when there
 * is none. A pid file that names another program is removed: PostgreSQL itself would refuse to start.
 */
export async function findOrphan(cluster: string): Promise<Postmaster | undefined> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    const file = await readPidFile(cluster);
    if (!file || (await startOf(file.pid)) === undefined) return undefined;
    if (!(await worksIn(file.pid, cluster))) {
      await rm(join(cluster, 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (file.ready) return { pid: file.pid, port: file.port, ended: waitForEnd(file.pid) };
    await sleep(LOOK_MS);
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no loopback port is free');
  return address.port;
}

function serverArguments(cluster: string, port: number): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    cluster_name: 'mcp-vitals',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** One start: the server once it accepts connections, or what it wrote before it ended. */
async function startOnce(
  layout: Layout,
  binaries: Binaries,
  logFile: string,
): Promise<Postmaster | { said: string }> {
  const port = await freePort();
  const log = openSync(logFile, 'a', 0o600);
  const before = statSync(logFile).size;
  const child = spawn(join(binaries.folder, 'postgres'), serverArguments(layout.cluster, port), {
    cwd: '/',
    env: serverEnvironment,
    stdio: ['ignore', log, log],
    ...layout.account,
  });
  closeSync(log);
  let failure: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      failure = error.message;
      resolve();
    });
  });
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const deadline = performance.now() + READY_MS;
  while (!over && performance.now() < deadline) {
    const file = await readPidFile(layout.cluster);
    if (file?.ready && file.pid === child.pid) return { pid: file.pid, port, ended };
    await Promise.race([ended, sleep(LOOK_MS)]);
  }
  if (!over) {
    child.kill('SIGKILL');
    await ended;
  }
  return { said: failure ?? readFileSync(logFile).subarray(before).toString('utf8').trim() };
}

/** Starts the server on a free loopback port; a port lost to another program is tried again. */
export async function startPostmaster(
  layout: Layout,
  binaries: Binaries,
  logFile: string,
): Promise<Postmaster> {
  let said = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const result = await startOnce(layout, binaries, logFile);
    if ('pid' in result) return result;
    said = result.said;
    if (/Address already in use/i.test(said)) continue;
    // The last server was killed and its backends are still going: they notice within moments.
    if (/shared memory block.*in use/i.test(said)) await sleep(250 * attempt);
    else break;
  }
  const lines = said.split('\n').slice(-5).join(' | ');
  throw new EmbeddedDatabaseError(
    'EMBEDDED_START_FAILED',
    `the embedded PostgreSQL did not start: ${lines || 'it said nothing'} (see ${logFile})`,
  );
}

/** Fast shutdown; then, should it hang, ever less kindly. The data survives each of them. */
export async function stopPostmaster({ pid, ended }: Postmaster): Promise<void> {
  let over = false;
  const end = ended.then(() => {
    over = true;
  });
  for (const [signal, patienceMs] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if ((await startOf(pid)) === undefined || !sendSignal(pid, signal)) return;
    const patience = new AbortController();
    const waited = sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([end, waited]);
    patience.abort();
    if (over) return;
  }
}
