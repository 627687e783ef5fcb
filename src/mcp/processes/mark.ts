import { randomUUID } from 'node:crypto';
import { startOf } from './proc.ts';

/** The variable that every child of a probe has, and all that it starts, unless they clear it. */
export const MARK_NAME = 'MCP_VITALS_PROBE';

/** Who starts children: the id of a data folder, and the process. */
export interface Owner {
  id: string;
  pid: number;
  /** When the process began, as /proc has it; tells it from a later one of that pid. */
  start: string;
}

/** The owner that this process is, for the data folder of that id. */
export async function ownerOf(id: string): Promise<Owner> {
  return { id, pid: process.pid, start: (await startOf(process.pid)) ?? 'unknown' };
}

/** A new mark, for one child. */
export const newMark = ({ id, pid, start }: Owner): string => [id, pid, start, randomUUID()].join(':');

/** Whose child carries that mark; null when it is no mark. */
export function ownerOfMark(mark: string): Owner | null {
  const [id = '', pid = '', start = '', probe] = mark.split(':');
  if (id === '' || !/^\d{1,10}$/.test(pid) || start === '' || probe === undefined) return null;
  return { id, pid: Number(pid), start };
}
