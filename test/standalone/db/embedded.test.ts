import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openClient } from '../../../src/db/client.ts';
import { type EmbeddedDatabase, openEmbedded } from '../../../src/db/embedded/open-embedded.ts';
import { EmbeddedDatabaseError } from '../../../src/db/errors.ts';

const userProgram = fileURLToPath(new URL('../../fixtures/embedded-user.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

let folder: string;
let dataDir: string;
const opened: EmbeddedDatabase[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  // A blank in the path, since people have them.
  folder = mkdtempSync(join(tmpdir(), 'mcp vitals '));
  chmodSync(folder, 0o755);
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((server) => server.close()));
  await until(() => runningPids(folder).length === 0);
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

async function open(dir = dataDir, binaries?: string): Promise<EmbeddedDatabase & { lines: string[] }> {
  const lines: string[] = [];
  const server = await openEmbedded({
    dataDir: dir,
    onProgress: (line) => lines.push(line),
    ...(binaries ? { binaries: { folder: binaries } } : {}),
  });
  opened.push(server);
  return { ...server, lines };
}

interface Record {
  keeperPid: number;
  postgres: { pid: number; port: number; password: string };
}
const record = (dir = dataDir): Record => JSON.parse(readFileSync(join(dir, 'keeper.json'), 'utf8'));

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^\S+ \(.*\) [ZX]/s.test(stat);
  } catch {
    return false;
  }
}

/** Every process whose command line names the folder: keepers and servers. */
function runningPids(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(dir);
      } catch {
        return false; // it ended meanwhile
      }
    })
    .map(Number)
    .filter(isRunning);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

async function query(url: string, text: string): Promise<unknown[]> {
  const sql = openClient(url, { poolSize: 1 });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

/** Another process that uses the database; resolves when it does. */
async function startUser(): Promise<{ child: ChildProcess; url: string; next(): Promise<object> }> {
  const child = spawn(process.execPath, [userProgram, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{}');
  for (;;) {
    const message = await next();
    if (typeof message.url === 'string') return { child, url: message.url, next };
  }
}

describe('a fresh data folder', () => {
  it('becomes a PostgreSQL server on loopback, with a password and nothing for git to see', async () => {
    const server = await open();
    expect(server.lines[0]).toMatch(/^initialising the embedded database \(PostgreSQL \d+\)/);
    const [row] = (await query(server.url, 'SHOW listen_addresses')) as { listen_addresses: string }[];
    expect(row?.listen_addresses).toBe('127.0.0.1');
    expect(await query(server.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    expect(await query(server.url, 'SHOW unix_socket_directories')).toEqual([
      { unix_socket_directories: '' },
    ]);
    expect(await query(server.url, 'SHOW password_encryption')).toEqual([
      { password_encryption: 'scram-sha-256' },
    ]);
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(readFileSync(join(dataDir, '.gitignore'), 'utf8')).toBe('*\n');
    expect(statSync(join(dataDir, 'keeper.json')).mode & 0o777).toBe(0o600);
    expect(record().postgres.port).toBe(Number(new URL(server.url).port));
  });

  it('keeps its data from one start to the next', async () => {
    const first = await open();
    await query(first.url, "CREATE TABLE kept AS SELECT 'still here' AS word");
    const { pid } = record().postgres;
    await first.close();
    expect(isRunning(pid)).toBe(false);
    const second = await open();
    expect(second.lines.some((line) => line.startsWith('initialising'))).toBe(false);
    expect(await query(second.url, 'SELECT word FROM kept')).toEqual([{ word: 'still here' }]);
  });

  it('is initialised anew when an earlier initialisation was killed half-way', async () => {
    mkdirSync(join(dataDir, 'postgres.new-abc', 'data'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres.new-abc', 'data', 'PG_VERSION'), '18\n');
    if (isRoot) chmodSync(dataDir, 0o711);
    const server = await open();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.new-'))).toEqual([]);
  });
});

describe('several users', () => {
  it('that open at once get one server', async () => {
    const servers = await Promise.all([open(), open(), open()]);
    expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
    const keepers = runningPids(dataDir).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper'),
    );
    expect(keepers).toEqual([record().keeperPid]);
  });

  it('share it across processes: it stays while one is left, and stops with the last', async () => {
    const mine = await open();
    const other = await startUser();
    expect(other.url).toBe(mine.url);
    await mine.close();
    expect(await query(other.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    other.child.stdin?.end();
    expect(await other.next()).toEqual({ closed: true });
    await until(() => runningPids(folder).length === 0);
    expect(existsSync(join(dataDir, 'keeper.json'))).toBe(false);
  });

  it('may open it again at the very moment when the last one closes', async () => {
    let server = await open();
    for (let turn = 0; turn < 3; turn += 1) {
      const closing = server.close();
      server = await open();
      expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await closing;
    }
  });
});

describe('a killed process', () => {
  it('a user: its server is gone soon after', async () => {
    const user = await startUser();
    const { keeperPid, postgres } = record();
    user.child.kill('SIGKILL');
    await once(user.child, 'exit');
    await until(() => !isRunning(postgres.pid) && !isRunning(keeperPid));
    expect(existsSync(join(dataDir, 'keeper.json'))).toBe(false);
    const again = await open();
    expect(await query(again.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('the keeper: another takes its place, and the server goes on', async () => {
    const server = await open();
    const before = record();
    process.kill(before.keeperPid, 'SIGKILL');
    await until(() => existsSync(join(dataDir, 'keeper.json')) && record().keeperPid !== before.keeperPid);
    await until(() => record().postgres !== undefined);
    expect(record().postgres).toEqual(before.postgres);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.close();
    await until(() => !isRunning(before.postgres.pid));
  });

  it('the keeper and its only user: the next open takes over the server that they left', async () => {
    const user = await startUser();
    const before = record();
    user.child.kill('SIGSTOP'); // so that it cannot replace the keeper
    process.kill(before.keeperPid, 'SIGKILL');
    user.child.kill('SIGKILL');
    await once(user.child, 'exit');
    expect(isRunning(before.postgres.pid)).toBe(true);
    const next = await open();
    expect(next.url).toBe(user.url);
    expect(record().postgres.pid).toBe(before.postgres.pid);
    await next.close();
    await until(() => !isRunning(before.postgres.pid));
  });

  it('the server: its users see errors, the keeper goes, and the next open works', async () => {
    const first = await open();
    await query(first.url, "CREATE TABLE kept AS SELECT 'still here' AS word");
    const { keeperPid, postgres } = record();
    process.kill(postgres.pid, 'SIGKILL');
    await until(() => !isRunning(keeperPid));
    await expect(query(first.url, 'SELECT 1')).rejects.toThrow();
    await first.close();
    const second = await open();
    expect(await query(second.url, 'SELECT word FROM kept')).toEqual([{ word: 'still here' }]);
  });

  it('everything, and the process id given to another program since: the next open works', async () => {
    const first = await open();
    const { keeperPid, postgres } = record();
    process.kill(keeperPid, 'SIGSTOP');
    process.kill(postgres.pid, 'SIGKILL');
    process.kill(keeperPid, 'SIGKILL');
    await until(() => !isRunning(postgres.pid) && !isRunning(keeperPid));
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    writeFileSync(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'));
    const second = await open();
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await first.close();
  });
});

describe('a data folder that cannot be used', () => {
  const failure = async (dir: string, binaries?: string) => {
    const error = await open(dir, binaries).catch((caught: unknown) => caught);
    return error instanceof EmbeddedDatabaseError ? error.code : error;
  };

  it('is refused when another major version made it', async () => {
    const first = await open();
    await first.close();
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '11\n');
    expect(await failure(dataDir)).toBe('EMBEDDED_OTHER_VERSION');
    await until(() => runningPids(folder).length === 0);
  });

  it('is refused when it holds something else', async () => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres', 'diary.txt'), 'not a cluster');
    if (isRoot) chmodSync(dataDir, 0o711);
    expect(await failure(dataDir)).toBe('EMBEDDED_NOT_OURS');
    expect(readFileSync(join(dataDir, 'postgres', 'diary.txt'), 'utf8')).toBe('not a cluster');
  });

  it('works with a long path, and is refused with one that PostgreSQL cannot hold', async () => {
    const long = join(folder, ...Array.from({ length: 3 }, (_, place) => `${place}`.repeat(200)));
    const server = await open(long);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.close();
    const longer = join(folder, ...Array.from({ length: 5 }, (_, place) => `${place}`.repeat(200)));
    expect(await failure(longer)).toBe('EMBEDDED_PATH_TOO_LONG');
  });

  it('is refused with the folder’s name when the binaries told do not run here', async () => {
    expect(await failure(dataDir, folder)).toBe('EMBEDDED_NO_BINARIES');
  });
});

describe.runIf(isRoot)('as root', () => {
  it('the server runs as another user', async () => {
    await open();
    expect(statSync(`/proc/${record().postgres.pid}`).uid).not.toBe(0);
  });

  it('works below a folder that only root may enter', async () => {
    chmodSync(folder, 0o700);
    const server = await open();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const [row] = (await query(server.url, 'SHOW data_directory')) as { data_directory: string }[];
    await server.close();
    const again = await open();
    expect(await query(again.url, 'SHOW data_directory')).toEqual([row]);
    await again.close();
    const outside = row?.data_directory ?? '';
    expect(outside.startsWith(folder)).toBe(false);
    // Its data folder was a temporary one: the next that needs a place outside clears it away.
    rmSync(dataDir, { recursive: true });
    await (await open()).close();
    expect(existsSync(outside)).toBe(false);
    rmSync(realpathSync(join(dataDir, 'postgres')), { recursive: true });
  });
});
