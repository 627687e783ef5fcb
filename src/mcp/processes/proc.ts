import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** A process as Linux shows it. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  start: string;
  /** What it carries in `MCP_VITALS_PROBE`; null without it, or where we may not look. */
  mark: string | null;
}

const PROC = '/proc';
const READERS = 16;

interface Stat {
  state: string;
  parent: number;
  start: string;
}

function parseStat(stat: string): Stat {
  // The name may hold spaces and parentheses; the fields after it do not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), start: fields[19] ?? '' };
}

const isDead = ({ state }: Stat): boolean => state === 'Z' || state === 'X';

async function readStat(pid: number): Promise<Stat | null> {
  const stat = await readFile(`${PROC}/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null ? null : parseStat(stat);
}

function markIn(environment: string, markName: string): string | null {
  const entry = environment.split('\0').find((text) => text.startsWith(`${markName}=`));
  return entry?.slice(markName.length + 1) ?? null;
}

/** When a process began; undefined when there is none, it is dead, or the system has no /proc. */
export async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readStat(pid);
  return stat === null || isDead(stat) ? undefined : stat.start;
}

async function readEntry(pid: number, markName: string): Promise<ProcessEntry | null> {
  const stat = await readStat(pid);
  if (stat === null || isDead(stat)) return null;
  // Another user's environment is not for us to see: then it is no child of ours either.
  const environment = await readFile(`${PROC}/${pid}/environ`, 'latin1').catch(() => '');
  return { pid, parent: stat.parent, start: stat.start, mark: markIn(environment, markName) };
}

const orNull = (read: () => string): string | null => {
  try {
    return read();
  } catch {
    return null;
  }
};

/**
 * A process, read at once, for whoever must not be outrun; null when it is dead, or there is none. Its mark
 * is not looked for without a name.
 */
export function readEntryNow(pid: number, markName: string | null): ProcessEntry | null {
  const text = orNull(() => readFileSync(`${PROC}/${pid}/stat`, 'utf8'));
  if (text === null) return null;
  const stat = parseStat(text);
  if (isDead(stat)) return null;
  const environment = markName && orNull(() => readFileSync(`${PROC}/${pid}/environ`, 'latin1'));
  const mark = environment && markName ? markIn(environment, markName) : null;
  return { pid, parent: stat.parent, start: stat.start, mark };
}

const pidsIn = (names: readonly string[]): number[] => names.filter((name) => /^\d+$/.test(name)).map(Number);

/** The pids of all processes, in order, read at once; none where the system has no /proc. */
export function listPidsNow(): number[] {
  try {
    return pidsIn(readdirSync(PROC));
  } catch {
    return [];
  }
}

/** Every process that we may see; none where the system has no /proc. */
async function listAll(markName: string): Promise<ProcessEntry[]> {
  const pids = pidsIn(await readdir(PROC).catch(() => []));
  const found: ProcessEntry[] = [];
  await Promise.all(
    Array.from({ length: READERS }, async () => {
      for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
        const entry = await readEntry(pid, markName);
        if (entry) found.push(entry);
      }
    }),
  );
  return found;
}

/**
 * Looks at all processes, once for all who ask while nobody looks: a look that is under way began before
 * the question, and would miss what was started since.
 */
export function createProcessList(markName: string): () => Promise<ProcessEntry[]> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<ProcessEntry[]> | null = null;
  return () => {
    next ??= running.then(() => {
      next = null;
      const look = listAll(markName);
      running = look.catch(() => undefined);
      return look;
    });
    return next;
  };
}
