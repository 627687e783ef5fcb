import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { findCycles } from '../../core/dependencies/cycles.ts';
import type { Dependency, DependentServer } from '../../core/dependencies/explain.ts';
import { cleanText } from '../../core/inventory.ts';
import type { Tx } from './store-statements.ts';

/**
 * Locks the rows of all that depend on these servers, on whatever ways, and gives them with the servers
 * themselves. One that another transaction holds is left out: that one shows it, or the next tick does.
 */
export async function lockDependants(tx: Tx, serverIds: readonly string[]): Promise<string[]> {
  const rows = await tx.execute<{ id: string }>(sql`
    WITH RECURSIVE reached(id) AS (
      SELECT value FROM jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb)
      UNION SELECT d.server_id FROM mcp_server_dependency d JOIN reached r ON d.depends_on_server_id = r.id
    )
    SELECT m.id FROM mcp_server m JOIN vitals.server_state s ON s.server_id = m.id
    WHERE m.id IN (SELECT id FROM reached) ORDER BY m.id FOR NO KEY UPDATE OF m, s SKIP LOCKED`);
  return rows.map(({ id }) => id);
}

/** The servers, all that they depend on, on whatever ways, and the dependencies among them. */
export async function readNeighbourhood(
  tx: Tx,
  serverIds: readonly string[],
): Promise<{ servers: DependentServer[]; dependencies: Dependency[] }> {
  const dependencies = await tx.execute<Dependency & Record<string, unknown>>(sql`
    WITH RECURSIVE reached(id) AS (
      SELECT value FROM jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb)
      UNION SELECT d.depends_on_server_id FROM mcp_server_dependency d JOIN reached r ON d.server_id = r.id
    )
    SELECT d.server_id AS "serverId", d.depends_on_server_id AS "dependsOn", d.dependency_type AS type
    FROM mcp_server_dependency d WHERE d.server_id IN (SELECT id FROM reached)`);
  if (dependencies.length === 0) return { servers: [], dependencies };
  const ids = new Set(dependencies.flatMap(({ serverId, dependsOn }) => [serverId, dependsOn]));
  const servers = await tx.execute<DependentServer & Record<string, unknown>>(sql`
    SELECT m.id, m.name, ${IS_FAILING} AS failing, ${IS_DOWN} AS down
    FROM mcp_server m LEFT JOIN vitals.server_state s ON s.server_id = m.id
    WHERE m.id IN (SELECT jsonb_array_elements_text(${JSON.stringify([...ids])}::jsonb))`);
  return { servers, dependencies };
}

/** One that somebody has switched off is not looked at any more: what was seen last explains nothing. */
const IS_WATCHED = sql`(m.status <> 'inactive' OR s.status_written = 'inactive')`;
/** Its last probe failed, not for the lack of credentials: others may have them. */
export const IS_FAILING = sql`coalesce(s.failing_since IS NOT NULL AND s.own->>'verdict' <> 'unauthenticated' AND ${IS_WATCHED}, false)`;
/** Confirmed down by itself. */
export const IS_DOWN = sql`coalesce(s.own_status = 'error' AND s.own->>'verdict' <> 'unauthenticated' AND ${IS_WATCHED}, false)`;

/** Everything that stands in mcp_server_dependency as one number: when it is the same, so are the cycles. */
export async function readDependencyMark(tx: Tx): Promise<string> {
  const [row] = await tx.execute<{ mark: string }>(sql`
    SELECT concat(count(*), ':', sum(hashtextextended(concat(server_id, '>', depends_on_server_id), 0))) AS mark
    FROM mcp_server_dependency`);
  return row?.mark ?? '';
}

const CYCLE_EVENT = 'dependency_cycle';
/** More members than this are counted, not named. */
const MAX_NAMED = 100;

/** Reports each cycle of dependencies once, as a system_event, and resolves it when it is gone. */
export async function recordCycles(tx: Tx, nowMs: number): Promise<{ found: number; gone: number }> {
  const dependencies = await tx.execute<{ serverId: string; dependsOn: string }>(sql`
    SELECT server_id AS "serverId", depends_on_server_id AS "dependsOn" FROM mcp_server_dependency`);
  const cycles = findCycles(dependencies).map((members) => ({
    // The set of members names a cycle, however many there are.
    mark: createHash('sha256').update(members.join('\n')).digest('hex').slice(0, 32),
    title: `${members.length === 1 ? 'a server depends on itself' : `${members.length} servers depend on each other in a circle`}: ${cleanText(members.slice(0, 5).join(', '))}${members.length > 5 ? ', …' : ''}`,
    data: { members: members.slice(0, MAX_NAMED), count: members.length },
  }));
  const rows = JSON.stringify(cycles);
  const atIso = new Date(nowMs).toISOString();
  const [row] = await tx.execute<{ found: number; gone: number }>(sql`
    WITH now_there AS (
      SELECT * FROM jsonb_to_recordset(${rows}::jsonb) AS r(mark text, title text, data jsonb)
    ), gone AS (
      UPDATE system_event e SET status = 'resolved', resolved_at = ${atIso}::timestamptz, resolved_by = 'mcp-vitals'
      WHERE e.type = ${CYCLE_EVENT} AND e.resource_type = ${CYCLE_EVENT} AND e.status IN ('active', 'acknowledged')
        AND e.resource_id NOT IN (SELECT mark FROM now_there)
      RETURNING 1
    ), found AS (
      INSERT INTO system_event (id, type, category, title, description, severity, source, resource_type, resource_id,
        data, status, occurred_at, created_at)
      SELECT gen_random_uuid(), ${CYCLE_EVENT}, 'system', title,
        'Of the members that are down by themselves, the one with the smallest id is not explained by the others.',
        'warning', 'mcp-vitals', ${CYCLE_EVENT}, mark, data::json, 'active', ${atIso}::timestamptz, now()
      FROM now_there n
      WHERE NOT EXISTS (SELECT 1 FROM system_event e WHERE e.type = ${CYCLE_EVENT} AND e.resource_id = n.mark
        AND e.status IN ('active', 'acknowledged', 'suppressed'))
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM found)::int AS found, (SELECT count(*) FROM gone)::int AS gone`);
  return row ?? { found: 0, gone: 0 };
}
