import { sql } from 'drizzle-orm';
import { SET_ASIDE, type SetAside } from '../../core/history/judge-check.ts';
import type { Database } from '../client.ts';

/** How many rows were set aside, by why. */
export type SetAsideCounts = Record<SetAside, number>;

export const noneSetAside = (): SetAsideCounts => ({ future: 0, too_old: 0, bad_response_time: 0 });

export const addCounts = (one: SetAsideCounts, other: SetAsideCounts): SetAsideCounts => ({
  future: one.future + other.future,
  too_old: one.too_old + other.too_old,
  bad_response_time: one.bad_response_time + other.bad_response_time,
});

const WHY: Readonly<Record<SetAside, string>> = {
  future: 'their time is in the future',
  too_old: 'they are older than history goes back',
  bad_response_time: 'their response time is impossible',
};

/**
 * Reports health checks that history does not count: one system_event for each reason and UTC day, which says
 * how many there were. In the transaction that leaves them behind, so that none is told twice.
 */
export async function reportSetAside(tx: Pick<Database, 'execute'>, counts: SetAsideCounts): Promise<void> {
  const told = SET_ASIDE.filter((why) => counts[why] > 0).map((why) => ({
    why,
    rows: counts[why],
    title: `Health checks are not counted: ${WHY[why]}`,
  }));
  if (told.length === 0) return;
  await tx.execute(sql`
    INSERT INTO system_event AS e (id, type, category, title, severity, source, resource_type, data, occurred_at, created_at)
    SELECT md5('mcp-vitals health set aside ' || why || (now() AT TIME ZONE 'UTC')::date)::uuid, 'rollup.set_aside',
      'system', title, 'warning', 'mcp-vitals', 'mcp_server_health_check',
      json_build_object('why', why, 'rows', rows), now(), now()
    FROM json_to_recordset(${JSON.stringify(told)}::json) AS r(why text, rows bigint, title text)
    ON CONFLICT (id) DO UPDATE SET occurred_at = excluded.occurred_at,
      data = json_build_object('why', excluded.data->>'why',
        'rows', (e.data->>'rows')::bigint + (excluded.data->>'rows')::bigint)`);
}
