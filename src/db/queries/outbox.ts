import { sql } from 'drizzle-orm';
import type { KnownAlert } from '../../core/alerts/known-alert.ts';
import {
  concernedGroups,
  type GroupState,
  groupId,
  type OutboxEntry,
  type Plan,
  type PlanInput,
  type Told,
} from '../../core/alerts/plan-notifications.ts';
import type { Database } from '../client.ts';

type Tx = Pick<Database, 'execute'>;
type Row<Shape> = Shape & Record<string, unknown>;

const msOf = (column: string) => sql`(extract(epoch FROM ${sql.raw(column)}) * 1000)::float8`;

/**
 * Whether anything is to be planned now: an entry that nobody has looked at, or the time that the last look
 * asked for. Also the database's time, which all of it goes by. null: another replica is at it.
 */
export async function beginPlanning(tx: Tx): Promise<{ nowMs: number; wanted: boolean } | null> {
  const [lock] = await tx.execute<{ taken: boolean }>(
    sql`SELECT pg_try_advisory_xact_lock(hashtext('vitals:notify')) AS taken`,
  );
  if (!lock?.taken) return null;
  const [row] = await tx.execute<{ nowMs: number; wanted: boolean }>(sql`
    SELECT ${msOf('clock_timestamp()')} AS "nowMs",
      EXISTS (SELECT 1 FROM vitals.outbox WHERE done_at IS NULL AND held_because IS NULL)
      OR coalesce((SELECT (data->>'nextLookMs')::float8 FROM vitals.job_run WHERE job = 'notify'), 0)
        <= ${msOf('clock_timestamp()')} AS wanted`);
  if (!row) throw new Error('the database has no time');
  return row;
}

/** An alert (a) whose server was removed: nobody is told that it fires; the sweep is about to end it. */
const IS_ORPHAN = sql`(a.server_id IS NULL AND a.resolved_at IS NULL AND a.kind NOT IN ('incident', 'monitor_offline'))`;

/** The alerts that fire, and those of which something waits: found by their indexes, however many there have been. */
const CONCERNED = sql`SELECT id FROM vitals.alert WHERE resolved_at IS NULL
  UNION SELECT alert_id FROM vitals.outbox WHERE done_at IS NULL`;

/** All that a plan is made from, but what others know: suppressions and routes. */
export async function readPlanInput(
  tx: Tx,
  config: PlanInput['config'],
): Promise<Pick<PlanInput, 'alerts' | 'entries' | 'told' | 'groups'>> {
  const entries = await tx.execute<Row<OutboxEntry>>(sql`
    SELECT id::float8 AS id, alert_id AS "alertId", transition, ${msOf('created_at')} AS "createdAtMs",
      held_because AS "heldBecause"
    FROM vitals.outbox
    WHERE done_at IS NULL AND alert_id NOT IN (SELECT a.id FROM vitals.alert a WHERE ${IS_ORPHAN}) ORDER BY id`);
  const alerts = await tx.execute<Row<AlertRow>>(sql`
    WITH incidents AS MATERIALIZED (
      SELECT i.id FROM vitals.outbox o JOIN vitals.alert i ON i.id = o.alert_id
      WHERE o.done_at IS NULL AND i.kind = 'incident'
    ), told_of AS MATERIALIZED (
      ${CONCERNED}
      -- The members of an incident of which something is to be told, though they are over themselves.
      UNION SELECT a.id FROM incidents i JOIN vitals.alert a ON a.incident_id = i.id
    )
    SELECT a.id, a.key, a.kind, a.severity, a.server_id AS "serverId", m.name AS "serverName",
      CASE WHEN json_typeof(m.tags) = 'array' THEN m.tags END AS tags, a.tenant_id AS "tenantId", a.title,
      a.description, a.data, ${msOf('a.started_at')} AS "startedAtMs", ${msOf('a.resolved_at')} AS "resolvedAtMs",
      a.incident_id AS "incidentId"
    FROM told_of JOIN vitals.alert a ON a.id = told_of.id LEFT JOIN mcp_server m ON m.id = a.server_id
    WHERE NOT ${IS_ORPHAN}
    ORDER BY a.id`);
  const told = await tx.execute<Row<Told>>(sql`
    SELECT t.alert_id AS "alertId", t.channel, t.group_key AS "groupKey", ${msOf('t.last_at')} AS "lastAtMs",
      t.resolved_at IS NOT NULL AS resolved, t.failed_at IS NOT NULL AS failed
    FROM vitals.told t WHERE t.alert_id IN (${CONCERNED})`);
  const known = { alerts: alerts.map(alertOf), entries: [...entries], told: [...told] };
  return { ...known, groups: await readGroups(tx, concernedGroups({ ...known, config })) };
}

interface AlertRow extends Omit<KnownAlert, 'server'> {
  serverId: string | null;
  serverName: string | null;
  tags: unknown;
}

function alertOf({ serverId, serverName, tags, ...alert }: AlertRow): KnownAlert {
  const texts = Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  const data =
    typeof alert.data === 'object' && alert.data !== null && !Array.isArray(alert.data) ? alert.data : {};
  return {
    ...alert,
    data,
    server: serverId === null ? null : { id: serverId, name: serverName ?? serverId, tags: texts },
  };
}

/** The last message of each of the groups: they go out in order, so that it tells whether any is waiting. */
async function readGroups(
  tx: Tx,
  groups: readonly { channel: string; groupKey: string }[],
): Promise<Map<string, GroupState>> {
  if (groups.length === 0) return new Map();
  const rows = await tx.execute<{
    channel: string;
    groupKey: string;
    lastAtMs: number;
    waiting: boolean;
  }>(sql`
    SELECT r.channel, r."groupKey", ${msOf('d.created_at')} AS "lastAtMs",
      d.sent_at IS NULL AND d.failed_at IS NULL AS waiting
    FROM jsonb_to_recordset(${JSON.stringify(groups)}::jsonb) AS r(channel text, "groupKey" text)
    CROSS JOIN LATERAL (
      SELECT created_at, sent_at, failed_at FROM vitals.delivery
      WHERE channel = r.channel AND group_key = r."groupKey" ORDER BY seq DESC LIMIT 1
    ) d`);
  return new Map(
    rows.map(({ channel, groupKey, lastAtMs, waiting }) => [
      groupId(channel, groupKey),
      { lastAtMs, waiting },
    ]),
  );
}

export interface NewDelivery {
  channel: string;
  groupKey: string;
  transitions: { alertId: string; transition: string }[];
  message: object;
  onceKey: string | null;
}

/** Puts messages on the list, in order; of those with a name of their own each once. Returns how many are new. */
export async function insertDeliveries(
  tx: Tx,
  deliveries: readonly NewDelivery[],
  nowMs: number,
): Promise<number> {
  if (deliveries.length === 0) return 0;
  const rows = JSON.stringify(deliveries);
  const [row] = await tx.execute<{ count: number }>(sql`
    WITH added AS (
      INSERT INTO vitals.delivery (channel, group_key, transitions, message, once_key, created_at, next_attempt_at)
      SELECT r.value->>'channel', r.value->>'groupKey', r.value->'transitions', r.value->'message', r.value->>'onceKey',
        to_timestamp(${nowMs}::float8 / 1000), to_timestamp(${nowMs}::float8 / 1000)
      FROM jsonb_array_elements(${rows}::jsonb) WITH ORDINALITY AS r(value, place)
      ORDER BY r.place
      ON CONFLICT (once_key) WHERE once_key IS NOT NULL DO NOTHING
      RETURNING 1
    ) SELECT count(*)::int AS count FROM added`);
  return row?.count ?? 0;
}

/** Notes what channels will know, and what has become of the entries. */
export async function recordPlan(
  tx: Tx,
  plan: Pick<Plan, 'deliveries' | 'done' | 'held'>,
  nowMs: number,
): Promise<void> {
  const now = sql`to_timestamp(${nowMs}::float8 / 1000)`;
  const news = plan.deliveries.flatMap(({ channel, groupKey, transitions }) =>
    transitions.map(({ alertId, transition }) => ({ channel, groupKey, alertId, transition })),
  );
  if (news.length > 0) {
    await tx.execute(sql`
      INSERT INTO vitals.told AS t (alert_id, channel, group_key, last_at, resolved_at)
      SELECT r."alertId", r.channel, r."groupKey", ${now}, CASE WHEN r.transition = 'resolve' THEN ${now} END
      FROM jsonb_to_recordset(${JSON.stringify(news)}::jsonb)
        AS r("alertId" uuid, channel text, "groupKey" text, transition text)
      ON CONFLICT (alert_id, channel) DO UPDATE
        SET last_at = excluded.last_at, resolved_at = coalesce(t.resolved_at, excluded.resolved_at), failed_at = NULL`);
  }
  const settled = [
    ...plan.done.map(({ id, because }) => ({ id, because, done: true })),
    ...plan.held.map(({ id, because }) => ({ id, because, done: false })),
  ];
  if (settled.length > 0) {
    await tx.execute(sql`
      UPDATE vitals.outbox o SET held_because = r.because, done_at = CASE WHEN r.done THEN ${now} END
      FROM jsonb_to_recordset(${JSON.stringify(settled)}::jsonb) AS r(id bigint, because text, done boolean)
      WHERE o.id = r.id`);
  }
}
