/**
 * The parent of the embedded PostgreSQL server: a small process of its own, so that the server
 * outlives the command that happened to start it, and never outlives all of its users.
 * Started by `joinKeeper`, with one argument: its settings as JSON.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { EmbeddedDatabaseError } from '../errors.ts';
import { type Binaries, findBinaries, probeMajor } from './binaries.ts';
import { findLayout, initialiseCluster, type Layout, readPassword, SUPERUSER } from './cluster.ts';
import { readKeeperRecord, removeKeeperRecord, writeKeeperRecord } from './keeper-file.ts';
import { type KeeperLock, takeKeeperLock } from './keeper-lock.ts';
import { type KeeperUsers, receiveUsers } from './keeper-users.ts';
import { findOrphan, type Postmaster, startPostmaster, stopPostmaster } from './postmaster.ts';
import { startOf } from './process-identity.ts';

const settingsSchema = z.object({ dataDir: z.string(), binaries: z.string().optional() });
type Settings = z.infer<typeof settingsSchema>;

/** How long the server outlives a last user that was cut off (killed, perhaps to be started again). */
const LINGER_MS = 2_000;
/** How long a keeper waits for the one that started it. */
const FIRST_USER_MS = 15_000;
const LOG_BYTES = 4 * 1024 * 1024;
const LOG_LOOK_MS = 30_000;

/** Whether the record names a living keeper; a killed one cannot remove its own. */
async function isServed(dataDir: string): Promise<boolean> {
  const record = await readKeeperRecord(dataDir);
  return record !== undefined && (await startOf(record.keeperPid)) !== undefined;
}

/** undefined: another keeper serves the folder. One that is on its way out is waited for. */
async function becomeKeeper(dataDir: string): Promise<KeeperLock | undefined> {
  for (;;) {
    const lock = await takeKeeperLock(dataDir);
    if (lock) return lock;
    if (await isServed(dataDir)) return undefined;
    await sleep(50);
  }
}

async function chooseBinaries(settings: Settings, layout: Layout): Promise<Binaries> {
  const given = settings.binaries;
  if (given === undefined) return findBinaries(layout.store, layout.account, layout.major);
  const major = await probeMajor(given, layout.account);
  if (major !== undefined) return { folder: given, major };
  throw new EmbeddedDatabaseError('EMBEDDED_NO_BINARIES', `no initdb and postgres that run here in ${given}`);
}

async function bringUp(
  settings: Settings,
  users: KeeperUsers,
): Promise<{ postmaster: Postmaster; password: string }> {
  const layout = await findLayout(settings.dataDir);
  const orphan = layout.major === undefined ? undefined : await findOrphan(layout.cluster);
  if (orphan) return { postmaster: orphan, password: readPassword(layout.cluster) };
  const binaries = await chooseBinaries(settings, layout);
  if (layout.major !== undefined && layout.major !== binaries.major)
    throw new EmbeddedDatabaseError(
      'EMBEDDED_OTHER_VERSION',
      `${layout.cluster} was made by PostgreSQL ${layout.major}, and this is ${binaries.major}: move it away to begin ` +
        'anew, or dump it with the old version and restore it here',
    );
  if (layout.major === undefined) {
    users.tell({
      type: 'progress',
      line: `initialising the embedded database (PostgreSQL ${binaries.major}) …`,
    });
    await initialiseCluster(settings.dataDir, layout, binaries);
  }
  const password = readPassword(layout.cluster);
  users.tell({ type: 'progress', line: `starting the embedded database (PostgreSQL ${binaries.major}) …` });
  return {
    postmaster: await startPostmaster(layout, binaries, join(settings.dataDir, 'postgres.log')),
    password,
  };
}

/** The server appends to its log: the older part is copied away and the file begun again. */
async function boundLog(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (entry) => entry.size,
    () => 0, // a server taken over may log elsewhere
  );
  if (size < LOG_BYTES) return;
  await copyFile(logFile, `${logFile}.1`);
  await truncate(logFile);
}

/** A promise with its key, which may be turned more than once. */
function createSignal(): { given: Promise<void>; give: () => void } {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

async function keep(settings: Settings): Promise<number> {
  const { dataDir } = settings;
  const lock = await becomeKeeper(dataDir);
  if (!lock) return 0;
  const { given: stopped, give: stop } = createSignal();
  const token = randomBytes(24).toString('hex');
  const first = createSignal();
  let idle = setTimeout(stop, FIRST_USER_MS);
  const users = await receiveUsers(token, {
    onJoin() {
      clearTimeout(idle);
      first.give();
    },
    onEmpty(how) {
      if (how === 'left') stop();
      else idle = setTimeout(stop, LINGER_MS);
    },
  });
  // From the moment the end is decided nobody new comes in, also while the server is still starting.
  void stopped.then(() => users.closeDoor());
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  const record = { keeperPid: process.pid, port: users.port, token };
  await writeKeeperRecord(dataDir, record);
  process.stdout.write('listening\n');

  try {
    const { postmaster, password } = await bringUp(settings, users);
    const { pid, port } = postmaster;
    await writeKeeperRecord(dataDir, { ...record, postgres: { pid, port, password } });
    users.tell({
      type: 'ready',
      pid,
      url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    });
    const logLook = setInterval(() => {
      boundLog(join(dataDir, 'postgres.log')).catch(complain);
    }, LOG_LOOK_MS);
    await Promise.race([stopped, postmaster.ended]);
    clearInterval(logLook);
    users.closeDoor();
    await removeKeeperRecord(dataDir);
    await stopPostmaster(postmaster);
  } catch (error) {
    complain(error);
    const code = error instanceof EmbeddedDatabaseError ? error.code : 'EMBEDDED_START_FAILED';
    users.tell({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    // It may have failed before the process that started us had come to hear of it.
    await Promise.race([first.given, stopped]);
    users.closeDoor();
    await removeKeeperRecord(dataDir);
  }
  await lock.release();
  await users.letGo();
  return 0;
}

/** Standard error is `<dataDir>/keeper.log`. */
function complain(error: unknown): void {
  process.stderr.write(
    `${new Date().toISOString()} ${error instanceof Error ? error.stack : String(error)}\n`,
  );
}

// Whoever started us may be gone: a closed pipe is no reason to leave the server alone.
process.stdout.on('error', () => undefined);
process.exitCode = await keep(settingsSchema.parse(JSON.parse(process.argv[2] ?? '')));
process.exit();
