import { readFile, stat } from 'node:fs/promises';
import { FileError } from '../config/yaml-file.ts';

/** One file that is read again when it changes; what cannot be used never replaces what can. */
export interface SettingsFile<Value> {
  path: string;
  value(): Value;
  /** Reads the file when it is not the one that was read last; `force`: even then. Says what came of it. */
  refresh(force?: boolean): Promise<Refreshed<Value>>;
}

export type Refreshed<Value> =
  | { state: 'unchanged' }
  | { state: 'taken'; value: Value }
  | { state: 'refused'; problems: string[] };

/** Reads the file at once: rejects with what is wrong with it. */
export async function openSettingsFile<Value>(
  path: string,
  parse: (name: string, text: string) => Value,
): Promise<SettingsFile<Value>> {
  let seen = await stampOf(path);
  let text = await readFile(path, 'utf8');
  let value = parse(path, text);

  async function load(): Promise<Refreshed<Value>> {
    const next = await readFile(path, 'utf8');
    // Touched, or written again as it was: nothing that anybody would want to read of.
    if (next === text) return { state: 'unchanged' };
    const parsed = parse(path, next);
    text = next;
    value = parsed;
    return { state: 'taken', value };
  }

  return {
    path,
    value: () => value,
    async refresh(force = false) {
      const stamp = await stampOf(path);
      if (stamp === seen && !force) return { state: 'unchanged' };
      // Before the reading: a file that is written meanwhile has another stamp, and is read again.
      seen = stamp;
      try {
        return await load();
      } catch (error) {
        return { state: 'refused', problems: problemsOf(path, error) };
      }
    },
  };
}

/** What changes with every writing of a file; of one that is not there, that it is not. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
}

/** A line for each problem, each with the file and, where it has one, the line. */
export function problemsOf(path: string, error: unknown): string[] {
  if (error instanceof FileError) return error.message.split('\n');
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return [`${path}: it cannot be read (${code})`];
}
