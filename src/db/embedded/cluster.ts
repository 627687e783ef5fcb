import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedDatabaseError } from '../errors.ts';
import { type Account, canReach, chooseAccount } from './account.ts';
import type { Binaries } from './binaries.ts';

/** PostgreSQL keeps paths in 1,024 bytes, and needs some for the files inside. */
const LONGEST_PATH_BYTES = 900;
export const SUPERUSER = 'mcp_vitals';
/** Inside the cluster's own folder (0700), so that it is there exactly when the cluster is. */
const PASSWORD_FILE = 'vitals.password';

/** In a cluster that lives outside: the data folder that it belongs to. */
const HOME_FILE = 'vitals.home';

export interface Layout {
  /** The cluster's folder, without links; it need not exist yet. */
  cluster: string;
  /** The major version that made it; undefined when there is none yet. */
  major: number | undefined;
  /** Where a copy of the binaries may go, reachable by the account. */
  store: string;
  account: Account;
}

/** A folder outside of the data folder, for an account that cannot pass through to it. */
async function outsideFolder(account: Account): Promise<string> {
  for (const base of ['/var/lib', tmpdir()]) {
    const folder = join(base, 'mcp-vitals');
    try {
      await mkdir(folder, { recursive: true });
      await chmod(folder, 0o755);
      if (canReach(folder, account)) return folder;
    } catch {
      // Read-only or not ours: the next place may do.
    }
  }
  throw new EmbeddedDatabaseError(
    'EMBEDDED_INIT_FAILED',
    'PostgreSQL does not run as root, and the user nobody can reach no folder of ours: set DATABASE_URL, or run as another user',
  );
}

/**
 * Where everything is, for this data folder. Run as root below a folder that only root may enter, the
 * cluster lives outside and `<dataDir>/postgres` is a link to it.
 */
export async function findLayout(dataDir: string): Promise<Layout> {
  const place = join(dataDir, 'postgres');
  const account = chooseAccount(place);
  const reachable = canReach(dataDir, account);
  const store = reachable ? join(dataDir, 'binaries') : await outsideFolder(account);
  if (existsSync(place)) {
    const cluster = realpathSync(place);
    const version = join(cluster, 'PG_VERSION');
    if (!existsSync(version))
      throw new EmbeddedDatabaseError(
        'EMBEDDED_NOT_OURS',
        `${place} exists and is no PostgreSQL cluster: move it away, or choose another data folder`,
      );
    const mine = process.getuid?.();
    if (mine !== undefined && mine !== 0 && statSync(cluster).uid !== mine)
      throw new EmbeddedDatabaseError(
        'EMBEDDED_NOT_OURS',
        `${place} belongs to another user (it was made by root, perhaps): run as that user, or move it away`,
      );
    return { cluster, major: Number(readFileSync(version, 'utf8')), store, account };
  }
  const cluster = reachable
    ? join(realpathSync(dataDir), 'postgres')
    : join(realpathSync(store), `data-${randomBytes(6).toString('hex')}`);
  if (Buffer.byteLength(cluster) > LONGEST_PATH_BYTES)
    throw new EmbeddedDatabaseError(
      'EMBEDDED_PATH_TOO_LONG',
      `the data folder’s path is too long for PostgreSQL (${Buffer.byteLength(cluster)} bytes): choose a shorter one`,
    );
  return { cluster, major: undefined, store, account };
}

/**
 * Removes clusters outside whose data folder was a temporary one and is gone. Any other may only be
 * out of sight for now, on a disk that is not mounted.
 */
async function removeAbandoned(outside: string): Promise<void> {
  for (const name of await readdir(outside)) {
    const cluster = join(outside, name);
    const home = await readFile(join(cluster, HOME_FILE), 'utf8').catch(() => ''); // not a cluster
    if (!home.startsWith(`${realpathSync(tmpdir())}/`)) continue;
    const link = join(home, 'postgres');
    if (existsSync(link) && realpathSync(link) === cluster) continue;
    if (!existsSync(join(cluster, 'postmaster.pid'))) await rm(cluster, { recursive: true, force: true });
  }
}

async function removeDrafts(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.startsWith('postgres.new-')) await rm(join(parent, name), { recursive: true, force: true });
  }
}

/**
 * Makes the cluster in a draft folder and renames it: one that was killed half-way leaves a draft,
 * never a broken cluster. The caller holds the keeper's lock.
 */
export async function initialiseCluster(dataDir: string, layout: Layout, binaries: Binaries): Promise<void> {
  const parent = join(layout.cluster, '..');
  if (parent === realpathSync(dataDir)) await removeDrafts(parent);
  else await removeAbandoned(parent);
  const draft = await mkdtemp(join(parent, 'postgres.new-'));
  const passwordFile = join(draft, PASSWORD_FILE);
  const password = randomBytes(24).toString('hex');
  const { account } = layout;
  try {
    // initdb wants its folder empty, so the password waits beside the data.
    const data = join(draft, 'data');
    await mkdir(data, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account) for (const path of [draft, data, passwordFile]) await chown(path, account.uid, account.gid);
    const locale =
      binaries.major >= 17
        ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
        : ['--locale=C'];
    await promisify(execFile)(
      join(binaries.folder, 'initdb'),
      [
        ['-D', data, '-U', SUPERUSER, '--encoding=UTF8', `--pwfile=${passwordFile}`],
        ['--auth=scram-sha-256', '--no-instructions', ...locale],
      ].flat(),
      { cwd: '/', env: serverEnvironment, ...account, timeout: 120_000 },
    );
    await rename(passwordFile, join(data, PASSWORD_FILE));
    await rename(data, layout.cluster);
    if (parent !== realpathSync(dataDir)) await linkOutside(dataDir, layout.cluster);
  } catch (error) {
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    // Containers are run under bare numbers; initdb alone wants a name for its own.
    const hint = /could not look up effective user/.test(told)
      ? ': give this user a line in /etc/passwd, run as another one, or set DATABASE_URL'
      : '';
    throw new EmbeddedDatabaseError(
      'EMBEDDED_INIT_FAILED',
      `${told.replace(/^(initdb: )?/, 'initdb: ')}${hint}`,
      {
        cause: error,
      },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function linkOutside(dataDir: string, cluster: string): Promise<void> {
  await writeFile(join(cluster, HOME_FILE), dataDir);
  const link = join(dataDir, 'postgres');
  await rm(link, { force: true }); // a link whose target is gone
  await symlink(cluster, link);
}

export function readPassword(cluster: string): string {
  const file = join(cluster, PASSWORD_FILE);
  if (!existsSync(file))
    throw new EmbeddedDatabaseError(
      'EMBEDDED_NOT_OURS',
      `${cluster} is a PostgreSQL cluster, but not one of ours: move it away, or choose another data folder`,
    );
  return readFileSync(file, 'utf8');
}

/** Nothing of the user's PG… and LC_… variables reaches initdb or the server. */
export const serverEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' };
