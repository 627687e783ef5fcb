import { sql } from 'drizzle-orm';
import {
  type ActiveWindow,
  activeWindows,
  advanceWindow,
  planRecurring,
  problemOf,
  type WindowRow,
} from '../../core/maintenance/windows.ts';
import type { Policy } from '../../core/policy.ts';
import type { Tx } from './store-statements.ts';

/** The columns of maintenance_window as JSON; not jsonb, which does not take all that a json column may hold. */
export const WINDOW_JSON = sql`json_build_object('id', w.id, 'title', w.title, 'status', w.status,
  'services', w.affected_services, 'tenants', w.affected_tenants,
  'scheduledStartMs', extract(epoch FROM w.scheduled_start) * 1000, 'scheduledEndMs', extract(epoch FROM w.scheduled_end) * 1000,
  'actualStartMs', extract(epoch FROM w.actual_start) * 1000, 'actualEndMs', extract(epoch FROM w.actual_end) * 1000,
  'createdMs', extract(epoch FROM w.created_at) * 1000)`;

/** Windows that may be going on now: neither over nor cancelled, begun or about to begin. */
export const BEGUN_WINDOWS = sql`w.status IN ('scheduled', 'in_progress', 'extended')
  AND (w.status <> 'scheduled' OR least(w.scheduled_start, w.actual_start) <= now() + interval '1 second')`;

/** All maintenance that goes on now, of rows and of the policy's recurring windows. */
export function maintenanceAt(rows: readonly WindowRow[], policy: Policy, nowMs: number): ActiveWindow[] {
  return activeWindows(rows, planRecurring(policy.maintenance), nowMs);
}

async function readWindows(tx: Tx): Promise<WindowRow[]> {
  const rows = await tx.execute<{ window: WindowJson }>(
    sql`SELECT ${WINDOW_JSON} AS window FROM maintenance_window w WHERE ${BEGUN_WINDOWS} ORDER BY w.id`,
  );
  return rows.map(({ window }) => windowOfJson(window));
}

/** What WINDOW_JSON gives: a time that is no number (infinity) comes as text. */
export type WindowJson = {
  [Key in keyof WindowRow]: WindowRow[Key] extends number | null ? WindowRow[Key] | string : WindowRow[Key];
};

export function windowOfJson(json: WindowJson): WindowRow {
  const ms = (value: number | string | null): number | null => (value === null ? null : Number(value));
  return {
    ...json,
    scheduledStartMs: Number(json.scheduledStartMs),
    scheduledEndMs: Number(json.scheduledEndMs),
    actualStartMs: ms(json.actualStartMs),
    actualEndMs: ms(json.actualEndMs),
    createdMs: Number(json.createdMs),
  };
}

/** A row that cannot be used, and why. */
export interface BadWindow {
  id: string;
  title: string;
  problem: string;
}

/**
 * Moves windows on whose time has come: scheduled, in progress, completed, with the actual times. Doing it
 * twice, or on two replicas, changes nothing more. Gives the windows as they are then.
 */
export async function advanceWindows(
  tx: Tx,
  nowMs: number,
): Promise<{ windows: WindowRow[]; advanced: number; bad: BadWindow[] }> {
  const rows = await readWindows(tx);
  const steps = rows.flatMap((row) => {
    const step = advanceWindow(row, nowMs);
    return step === null ? [] : [{ row, step }];
  });
  if (steps.length > 0) {
    const changes = JSON.stringify(
      steps.map(({ row, step }) => ({ id: row.id, before: row.status, ...step })),
    );
    await tx.execute(sql`
      UPDATE maintenance_window w SET status = r.status, actual_start = to_timestamp(r."actualStartMs" / 1000),
        actual_end = to_timestamp(r."actualEndMs" / 1000), updated_at = now()
      FROM jsonb_to_recordset(${changes}::jsonb)
        AS r(id uuid, before text, status text, "actualStartMs" float8, "actualEndMs" float8)
      WHERE w.id = r.id AND w.status = r.before`);
  }
  const stepOf = new Map(steps.map(({ row, step }) => [row.id, step]));
  return {
    windows: rows.map((row) => ({ ...row, ...stepOf.get(row.id) })),
    advanced: steps.length,
    bad: rows.flatMap((row) => {
      const problem = problemOf(row);
      return problem === null ? [] : [{ id: row.id, title: row.title, problem }];
    }),
  };
}
