import type { MonitorDetail } from '../cli/actions.ts';
import { parseMonitor } from '../core/monitor/monitor-settings.ts';
import { pathText } from '../core/monitor/reader.ts';
import type { Database } from '../db/client.ts';
import { readMonitor, writeMonitor } from '../db/queries/monitor-settings.ts';
import { readServers } from '../db/queries/server-details.ts';
import { type ActionContext, withDatabase } from './context.ts';

/** By id, or by name where only one server has it. */
async function find(db: Database, idOrName: string): Promise<{ id: string; name: string } | undefined> {
  const rows = await readServers(db, { idOrName });
  return rows.find(({ id }) => id === idOrName) ?? (rows.length === 1 ? rows[0] : undefined);
}

/** A server's settings as they are stored, and what is wrong with them; null when there is no such server. */
export function showMonitor(context: ActionContext, idOrName: string): Promise<MonitorDetail | null> {
  return withDatabase(context, async ({ db }) => {
    const server = await find(db, idOrName);
    return server ? detailOf(db, server) : null;
  });
}

/** Stores settings that were checked before; null takes them away. */
export function setMonitor(
  context: ActionContext,
  idOrName: string,
  monitor: unknown,
): Promise<MonitorDetail | null> {
  return withDatabase(context, async ({ db }) => {
    const server = await find(db, idOrName);
    return server && (await writeMonitor(db, server.id, monitor)) ? detailOf(db, server) : null;
  });
}

async function detailOf(
  db: Database,
  { id, name }: { id: string; name: string },
): Promise<MonitorDetail | null> {
  const stored = await readMonitor(db, id);
  if (!stored) return null;
  const { monitor } = stored;
  const problems = monitor === null ? [] : parseMonitor(monitor).problems;
  return {
    id,
    name,
    monitor,
    problems: problems.map(({ path, message }) => `${pathText(['monitor', ...path])} ${message}`),
  };
}
