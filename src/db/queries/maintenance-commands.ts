import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { maintenanceWindow } from '../schema/index.ts';

export type NewWindow = Pick<
  typeof maintenanceWindow.$inferInsert,
  'title' | 'type' | 'impact' | 'scheduledStart' | 'scheduledEnd'
> & { services: string[]; tenants: string[] };

/** Of the ids those that are not registered; `*` is everybody. */
export async function findUnknownServices(db: Database, services: readonly string[]): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    SELECT DISTINCT value AS id FROM jsonb_array_elements_text(${JSON.stringify(services)}::jsonb)
    WHERE value <> '*' AND NOT EXISTS (SELECT 1 FROM mcp_server m WHERE m.id = value) ORDER BY 1`);
  return rows.map(({ id }) => id);
}

/** Plans a maintenance, and gives its id. */
export async function insertWindow(db: Database, window: NewWindow, createdBy: string): Promise<string> {
  const { services, tenants, ...columns } = window;
  const now = new Date();
  const [row] = await db
    .insert(maintenanceWindow)
    .values({
      ...columns,
      affectedServices: services,
      affectedTenants: tenants,
      createdBy,
      createdAt: now,
      updatedAt: now,
    })
    .returning({ id: maintenanceWindow.id });
  if (!row) throw new Error('the window was not stored');
  return row.id;
}

/** The windows that go on or are to come, then those that are over, the latest first; at most `limit`. */
export async function listWindows(db: Database, limit: number) {
  return await db
    .select({
      id: maintenanceWindow.id,
      title: maintenanceWindow.title,
      status: maintenanceWindow.status,
      type: maintenanceWindow.type,
      impact: maintenanceWindow.impact,
      services: maintenanceWindow.affectedServices,
      tenants: maintenanceWindow.affectedTenants,
      scheduledStart: maintenanceWindow.scheduledStart,
      scheduledEnd: maintenanceWindow.scheduledEnd,
      actualStart: maintenanceWindow.actualStart,
      actualEnd: maintenanceWindow.actualEnd,
    })
    .from(maintenanceWindow)
    .orderBy(
      sql`${maintenanceWindow.status} IN ('completed', 'cancelled')`,
      sql`${maintenanceWindow.scheduledStart} DESC`,
      maintenanceWindow.id,
    )
    .limit(limit);
}

/** `over`: it was completed or cancelled before. `not_begun`: there is nothing to end yet. */
export type WindowEnd = 'done' | 'unknown' | 'over' | 'not_begun';

/** Ends a window now: one that goes on is completed; one that is cancelled need not have begun. */
export async function endWindow(
  db: Database,
  id: string,
  how: 'completed' | 'cancelled',
): Promise<WindowEnd> {
  return await db.transaction(async (tx) => {
    const [row] = await tx.execute<{ status: string; begun: boolean }>(sql`
      SELECT status, coalesce(actual_start, scheduled_start) <= now() OR status IN ('in_progress', 'extended') AS begun
      FROM maintenance_window WHERE id::text = ${id} FOR UPDATE`);
    if (!row) return 'unknown';
    if (row.status === 'completed' || row.status === 'cancelled') return 'over';
    if (how === 'completed' && !row.begun) return 'not_begun';
    await tx.execute(sql`
      UPDATE maintenance_window SET status = ${how}, updated_at = now(),
        actual_start = CASE WHEN ${row.begun} THEN coalesce(actual_start, least(scheduled_start, now())) END,
        actual_end = CASE WHEN ${row.begun} THEN now() END
      WHERE id::text = ${id}`);
    return 'done';
  });
}
