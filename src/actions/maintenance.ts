import type { AddWindowResult, MaintenanceSummary, NewMaintenance } from '../cli/actions.ts';
import {
  endWindow,
  findUnknownServices,
  insertWindow,
  listWindows,
  type WindowEnd,
} from '../db/queries/maintenance-commands.ts';
import { type ActionContext, withDatabase } from './context.ts';

const MAX_LISTED = 200;

/** Plans a maintenance; one that names servers which are not registered is not stored. */
export function addMaintenance(context: ActionContext, window: NewMaintenance): Promise<AddWindowResult> {
  return withDatabase(context, async ({ db }) => {
    const unknown = await findUnknownServices(db, window.services);
    if (unknown.length > 0) return { id: null, unknown };
    const { startMs, endMs, ...rest } = window;
    const times = { scheduledStart: new Date(startMs), scheduledEnd: new Date(endMs) };
    return { id: await insertWindow(db, { ...rest, ...times }, 'mcp-vitals'), unknown };
  });
}

export function listMaintenance(context: ActionContext): Promise<MaintenanceSummary[]> {
  return withDatabase(context, async ({ db }) =>
    (await listWindows(db, MAX_LISTED)).map((row) => ({
      ...row,
      services: row.services ?? [],
      tenants: row.tenants ?? [],
      scheduledStart: row.scheduledStart.toISOString(),
      scheduledEnd: row.scheduledEnd.toISOString(),
      actualStart: row.actualStart?.toISOString() ?? null,
      actualEnd: row.actualEnd?.toISOString() ?? null,
    })),
  );
}

export function endMaintenance(
  context: ActionContext,
  id: string,
  how: 'completed' | 'cancelled',
): Promise<WindowEnd> {
  return withDatabase(context, ({ db }) => endWindow(db, id, how));
}
