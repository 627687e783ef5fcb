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

async function readStat(pid: number): Promise<{ state: string; parent: number; start: string } | null> {
  const stat = await readFile(`${PROC}/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name may hold spaces and parentheses; the fields after it do not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), start: fields[19] ?? '' };
}

/** When a process began; undefined when there is none, it is dead, or the system has no /proc. */
export async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readStat(pid);
  return stat === null || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.start;
}

async function readEntry(pid: number, markName: string): Promise<ProcessEntry | null> {
  const stat = await readStat(pid);
  if (stat === null || stat.state === 'Z' || stat.state === 'X') return null;
  // Another user's environment is not for us to see: then it is no child of ours either.
  const environment = await readFile(`${PROC}/${pid}/environ`, 'latin1').catch(() => '');
  const entry = environment.split('\0').find((text) => text.startsWith(`${markName}=`));
  return { pid, parent: stat.parent, start: stat.start, mark: entry?.slice(markName.length + 1) ?? null };
}

/** Every process that we may see; none where the system has no /proc. */
async function listAll(markName: string): Promise<ProcessEntry[]> {
  const names = await readdir(PROC).catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
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
