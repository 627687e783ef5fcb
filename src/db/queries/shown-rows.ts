import { sql } from 'drizzle-orm';
import type { Cause, OwnState, ShownState } from '../../core/health/context.ts';
import { healthStatusOf } from '../../core/health/decide-health.ts';
import type { ServerStatus } from '../../core/health/memory.ts';
import { columnsOf, showState } from '../../core/health/show-state.ts';
import { cleanText } from '../../core/inventory.ts';
import { type ActiveWindow, windowOf } from '../../core/maintenance/windows.ts';
import type { Verdict } from '../../core/reasons.ts';
import { insertEvents, type Tx } from './store-statements.ts';

/** What is shown of a server now, and what it is by itself. */
export interface ShownRow extends Record<string, unknown> {
  serverId: string;
  name: string;
  tenantId: string | null;
  status: ServerStatus;
  healthStatus: string;
  checkedBefore: boolean;
  verdict: Verdict | null;
  reason: string | null;
  message: string | null;
  becauseOf: string | null;
  sinceMs: number | null;
  own: OwnState;
  ownStatus: ServerStatus;
  statusWritten: string | null;
}

/** Servers that were never probed are left out: nothing can lie over what is not known. */
export async function readShown(tx: Tx, serverIds: readonly string[]): Promise<ShownRow[]> {
  return await tx.execute<ShownRow>(sql`
    SELECT m.id AS "serverId", m.name, m.tenant_id AS "tenantId", m.status, m.health_status AS "healthStatus",
      m.last_health_check IS NOT NULL AS "checkedBefore",
      s.verdict, s.reason, s.message, s.because_of AS "becauseOf",
      (extract(epoch FROM s.verdict_since) * 1000)::float8 AS "sinceMs", s.own, s.own_status AS "ownStatus",
      s.status_written AS "statusWritten"
    FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
    WHERE s.own IS NOT NULL AND s.own_status IS NOT NULL
      AND s.server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb))
    ORDER BY s.server_id`);
}

/** A status that a person set: it stays, and a maintenance of theirs is one. */
function heldStatus(row: {
  status: ServerStatus;
  statusWritten: string | null;
  checkedBefore: boolean;
}): ServerStatus | null {
  if (row.status === row.statusWritten) return null;
  if (row.status === 'maintenance') return 'maintenance';
  return row.status === 'inactive' && row.checkedBefore ? 'inactive' : null;
}

const BY_HAND = { id: 'by hand', title: 'its status was set by hand', untilMs: null };

export interface ShownChange {
  /** null: it is shown so already. */
  write: Record<string, unknown> | null;
  event: Record<string, unknown> | null;
}

export interface Around {
  cause: Cause | null;
  windows: readonly ActiveWindow[];
  /** The status that a person set; undefined: to be told from the row. */
  held: ServerStatus | null | undefined;
}

/** From what is shown to what is to be shown. */
export function changeOf(row: ShownRow, around: Around, nowMs: number): ShownChange {
  const held = around.held === undefined ? heldStatus(row) : around.held;
  const window = windowOf({ id: row.serverId, tenantId: row.tenantId }, around.windows);
  const maintenance = window ?? (held === 'maintenance' ? BY_HAND : null);
  const state = showState(row.own, { maintenance, cause: around.cause });
  const own = { status: row.ownStatus, health: healthStatusOf(row.own.verdict) };
  const { status, health } = columnsOf(state, own, held);
  const message = state.message === null ? null : cleanText(state.message);
  const sinceMs = row.verdict === state.verdict ? (row.sinceMs ?? nowMs) : nowMs;
  const statusWritten = held === null ? status : row.statusWritten;
  const same =
    row.verdict === state.verdict &&
    row.reason === state.reason &&
    row.message === message &&
    row.becauseOf === state.becauseOf &&
    row.status === status &&
    row.statusWritten === statusWritten &&
    row.healthStatus === health;
  const { serverId } = row;
  return {
    write: same ? null : { ...state, message, serverId, sinceMs, status, health, statusWritten },
    event: row.status === status ? null : eventOf(row, { before: row.status, after: status }, state, nowMs),
  };
}

function eventOf(
  { serverId, name, tenantId }: ShownRow,
  change: { before: ServerStatus; after: ServerStatus },
  { verdict, reason, message }: ShownState,
  nowMs: number,
): Record<string, unknown> {
  return {
    serverId,
    message: message === null ? null : cleanText(message),
    checkedAt: new Date(nowMs).toISOString(),
    event: {
      title: `${cleanText(name)}: ${change.before} → ${change.after}`,
      severity: change.after !== 'error' ? 'info' : verdict === 'unauthenticated' ? 'warning' : 'error',
      tenantId,
      data: { ...change, reason, verdict },
    },
  };
}

/** Writes what changed, and one event for each change of status. */
export async function writeChanges(tx: Tx, changes: readonly ShownChange[]): Promise<number> {
  const writes = changes.flatMap(({ write }) => write ?? []);
  const events = changes.flatMap(({ event }) => event ?? []);
  if (writes.length > 0) {
    const rows = JSON.stringify(writes);
    await tx.execute(sql`
      UPDATE mcp_server m SET status = r.status, health_status = r.health
      FROM json_to_recordset(${rows}::json) AS r("serverId" text, status text, health text)
      WHERE m.id = r."serverId" AND (m.status, m.health_status) IS DISTINCT FROM (r.status, r.health)`);
    await tx.execute(sql`
      UPDATE vitals.server_state s SET verdict = r.verdict, reason = r.reason, message = r.message,
        because_of = r."becauseOf", verdict_since = to_timestamp(r."sinceMs" / 1000),
        status_written = r."statusWritten", updated_at = now()
      FROM json_to_recordset(${rows}::json) AS r("serverId" text, verdict text, reason text, message text,
        "becauseOf" text, "sinceMs" float8, "statusWritten" text)
      WHERE s.server_id = r."serverId"`);
  }
  if (events.length > 0) await insertEvents(tx, JSON.stringify(events));
  return writes.length;
}
