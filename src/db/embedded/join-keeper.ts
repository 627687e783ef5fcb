import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EmbeddedDatabaseError } from '../errors.ts';
import { type KeeperRecord, readKeeperRecord } from './keeper-file.ts';
import { keeperMessage, onMessages, send } from './keeper-protocol.ts';

export interface JoinOptions {
  dataDir: string;
  binaries?: string;
  onProgress: (line: string) => void;
}

/** A held connection to the keeper, and the server it keeps. */
export interface Membership {
  socket: Socket;
  /** The server's process id. */
  pid: number;
  url: string;
  /** Resolves when the connection has ended: `bye` in good order, `cut off` when the keeper was killed. */
  ended: Promise<'bye' | 'cut off'>;
}

const JOIN_MS = 180_000;
const HELLO_MS = 5_000;
const LOOK_MS = 25;
const LOG_BYTES = 256 * 1024;

const keeperFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './keeper.ts' : './keeper.js', import.meta.url),
);

/** Starts a keeper; resolves when it listens, or when it found that another one serves the folder. */
async function spawnKeeper({ dataDir, binaries }: JoinOptions): Promise<void> {
  const logFile = join(dataDir, 'keeper.log');
  const old = statSync(logFile, { throwIfNoEntry: false });
  const log = openSync(logFile, old && old.size > LOG_BYTES ? 'w' : 'a', 0o600);
  const child = spawn(process.execPath, [keeperFile, JSON.stringify({ dataDir, binaries })], {
    cwd: dataDir,
    detached: true,
    stdio: ['ignore', 'pipe', log],
  });
  closeSync(log);
  const out = child.stdout;
  const listening = new Promise<void>((resolve, reject) => {
    out?.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new EmbeddedDatabaseError(
            'EMBEDDED_START_FAILED',
            `the keeper of the embedded database ended with code ${code}: see ${logFile}`,
          ),
        );
    });
  });
  try {
    await listening;
  } finally {
    out?.destroy();
    child.removeAllListeners();
    child.unref();
  }
}

/**
 * Joins the keeper that the record names. Undefined when it is not there (killed, or on its way
 * out); rejects when it is, and cannot bring the database up.
 */
async function tryJoin(
  record: KeeperRecord,
  onProgress: (line: string) => void,
): Promise<Membership | undefined> {
  const socket = connect({ host: '127.0.0.1', port: record.port });
  socket.setNoDelay(true);
  let greeted = false;
  let parted = false;
  const silence = setTimeout(() => socket.destroy(), HELLO_MS);
  // An error is always followed by close, which says enough.
  socket.on('error', () => socket.destroy());
  const ended = new Promise<'bye' | 'cut off'>((resolve) => {
    socket.once('close', () => resolve(parted ? 'bye' : 'cut off'));
  });
  const answer = new Promise<Membership>((resolve, reject) => {
    onMessages(socket, keeperMessage, (message) => {
      if (message.type === 'hello') {
        greeted = true;
        clearTimeout(silence);
      } else if (message.type === 'progress') onProgress(message.line);
      else if (message.type === 'bye') parted = true;
      else if (message.type === 'ready') resolve({ socket, pid: message.pid, url: message.url, ended });
      else reject(new EmbeddedDatabaseError(message.code, message.message));
    });
  });
  socket.once('connect', () => send(socket, { type: 'join', token: record.token }));
  const result = await Promise.race([answer, ended]);
  clearTimeout(silence);
  if (typeof result !== 'string') return result;
  if (greeted && result === 'cut off') onProgress('the keeper of the embedded database ended: trying again');
  return undefined;
}

/** Joins the keeper of the data folder, and starts one when there is none. */
export async function joinKeeper(options: JoinOptions): Promise<Membership> {
  const deadline = performance.now() + JOIN_MS;
  while (performance.now() < deadline) {
    const record = await readKeeperRecord(options.dataDir);
    const membership = record && (await tryJoin(record, options.onProgress));
    if (membership) return membership;
    // A keeper that was killed leaves its record behind: the new one writes another.
    await spawnKeeper(options);
    await sleep(LOOK_MS);
  }
  throw new EmbeddedDatabaseError(
    'EMBEDDED_TIMEOUT',
    `the embedded database in ${options.dataDir} did not come up in ${JOIN_MS / 1000} s: see its keeper.log and postgres.log`,
  );
}
