import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { joinKeeper, type Membership } from './join-keeper.ts';
import { send } from './keeper-protocol.ts';
import { startOf } from './process-identity.ts';

export interface EmbeddedOptions {
  /** Holds the cluster, its logs and its locks; made when it is not there. */
  dataDir: string;
  /** Lines for the user while the first start takes its moment. */
  onProgress?: (line: string) => void;
  /** Called once when the server has ended though nobody here closed it. */
  onLost?: () => void;
  /** Other binaries than those found: a folder with initdb and postgres. */
  binaries?: { folder: string };
}

export interface EmbeddedDatabase {
  url: string;
  /** Lets go of the server; the last user to go waits until it has stopped. */
  close(): Promise<void>;
}

const CLOSE_MS = 35_000;

/** Makes the data folder, invisible to git, and lets PostgreSQL's account pass through when we are root. */
function prepareFolder(dataDir: string): string {
  const path = resolve(dataDir);
  mkdirSync(path, { recursive: true });
  // Only while it is empty, and so is for us alone; what matters in it has modes of its own.
  if (readdirSync(path).length === 0) chmodSync(path, process.getuid?.() === 0 ? 0o711 : 0o700);
  const ignore = join(path, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  return realpathSync(path);
}

/**
 * The embedded PostgreSQL server of a data folder, shared by every process that opens it: the first
 * one starts it, and it stops soon after the last one has gone, be it killed. Rejects with
 * EmbeddedDatabaseError.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const settings = {
    dataDir: prepareFolder(options.dataDir),
    onProgress: options.onProgress ?? (() => undefined),
    onLost: options.onLost ?? (() => undefined),
    ...(options.binaries ? { binaries: resolve(options.binaries.folder) } : {}),
  };
  const first = await joinKeeper(settings);
  let closing = false;
  let current: Promise<Membership | undefined> = Promise.resolve(first);

  /** A keeper that was killed is replaced while its server lives, so that the server is not left alone. */
  async function watch(membership: Membership): Promise<void> {
    // Holding the connection must not keep the process from ending.
    membership.socket.unref();
    const how = await membership.ended;
    if (closing) return;
    if (how === 'bye' || (await startOf(first.pid)) === undefined) return settings.onLost();
    current = joinKeeper(settings).catch((error: unknown) => {
      settings.onProgress(`the embedded database has lost its keeper: ${String(error)}`);
      return undefined;
    });
    const next = await current;
    if (next) await watch(next);
  }
  void watch(first);

  return {
    url: first.url,
    async close() {
      closing = true;
      const membership = await current;
      if (!membership) return;
      membership.socket.ref();
      const late = setTimeout(() => membership.socket.destroy(), CLOSE_MS);
      send(membership.socket, { type: 'leave' });
      await membership.ended;
      clearTimeout(late);
    },
  };
}
