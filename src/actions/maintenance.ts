import type { AddWindowResult, MaintenanceSummary, NewMaintenance } from '../cli/actions.ts';
import { planRecurring, type RecurringPlan, recurringId, startNearMs } from '../core/maintenance/windows.ts';
import {
  endWindow,
  findUnknownServices,
  insertWindow,
  listWindows,
  type WindowEnd,
} from '../db/queries/maintenance-commands.ts';
import { configuredPolicy } from './configured-policy.ts';
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

/** The windows of the table, and behind them the policy's recurring ones with what goes on or comes next. */
export async function listMaintenance(context: ActionContext): Promise<MaintenanceSummary[]> {
  const policy = await configuredPolicy(context);
  const windows = await withDatabase(context, async ({ db }) =>
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
  return [...windows, ...planRecurring(policy.maintenance).flatMap(recurringSummary)];
}

function recurringSummary(plan: RecurringPlan): MaintenanceSummary[] {
  const { title, durationMs, services, tenants } = plan.window;
  const startMs = startNearMs(plan, Date.now());
  if (startMs === null) return [];
  const [scheduledStart, scheduledEnd] = [startMs, startMs + durationMs].map((ms) =>
    new Date(ms).toISOString(),
  );
  return [
    {
      id: recurringId(plan.window),
      title,
      status: 'recurring',
      type: 'scheduled',
      impact: 'partial',
      services: [...services],
      tenants: [...tenants],
      scheduledStart: scheduledStart ?? '',
      scheduledEnd: scheduledEnd ?? '',
      actualStart: null,
      actualEnd: null,
    },
  ];
}

export function endMaintenance(
  context: ActionContext,
  id: string,
  how: 'completed' | 'cancelled',
): Promise<WindowEnd> {
  return withDatabase(context, ({ db }) => endWindow(db, id, how));
}
