import { sql } from 'drizzle-orm';
import { explainServers } from '../../core/dependencies/explain.ts';
import type { ServerStatus } from '../../core/health/memory.ts';
import { cleanText } from '../../core/inventory.ts';
import type { ActiveWindow } from '../../core/maintenance/windows.ts';
import type { Policy } from '../../core/policy.ts';
import { IS_DOWN, IS_FAILING, lockDependants, readNeighbourhood } from './dependencies.ts';
import { BEGUN_WINDOWS, maintenanceAt, WINDOW_JSON, type WindowJson, windowOfJson } from './maintenance.ts';
import { changeOf, readShown, writeChanges } from './shown-rows.ts';
import type { Tx } from './store-statements.ts';

/** What persons have set the status of servers to, where the caller knows; null for nothing. */
type HeldStatuses = ReadonlyMap<string, ServerStatus | null>;

/**
 * Lays what surrounds servers over their own states: maintenance, and other servers that are down. For the
 * given ones, whose own states the caller has just written and whose rows it has locked, and for all that
 * depend on them. Returns null, after one cheap statement, where nothing lies over any of them, and nothing
 * did: the caller then shows them as they are. Otherwise the servers that it has shown.
 */
export async function refreshShown(
  tx: Tx,
  serverIds: readonly string[],
  policy: Policy,
  held: HeldStatuses = new Map(),
): Promise<ReadonlySet<string> | null> {
  if (serverIds.length === 0) return null;
  const ids = JSON.stringify(serverIds);
  const [gate] = await tx.execute<{
    nowMs: number;
    depends: boolean;
    overlaid: boolean;
    windows: WindowJson[] | null;
  }>(sql`
    WITH given AS MATERIALIZED (SELECT value AS id FROM jsonb_array_elements_text(${ids}::jsonb))
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs",
      EXISTS (SELECT 1 FROM mcp_server_dependency d
        WHERE d.server_id IN (SELECT id FROM given) OR d.depends_on_server_id IN (SELECT id FROM given)) AS depends,
      EXISTS (SELECT 1 FROM given g JOIN mcp_server m ON m.id = g.id JOIN vitals.server_state s ON s.server_id = g.id
        WHERE m.status = 'maintenance' OR s.verdict = 'maintenance' OR s.because_of IS NOT NULL) AS overlaid,
      (SELECT json_agg(${WINDOW_JSON}) FROM maintenance_window w WHERE ${BEGUN_WINDOWS}) AS windows`);
  if (!gate) return null;
  const windows = maintenanceAt((gate.windows ?? []).map(windowOfJson), policy, gate.nowMs);
  if (!gate.depends && !gate.overlaid && windows.length === 0) return null;
  const affected = gate.depends ? await lockDependants(tx, serverIds) : serverIds;
  await showAgain(tx, affected, { windows, held, nowMs: gate.nowMs });
  return new Set(affected);
}

/** Shows the servers, whose rows the caller has locked, as they are to be shown; how many have changed. */
async function showAgain(
  tx: Tx,
  serverIds: readonly string[],
  { windows, held, nowMs }: { windows: readonly ActiveWindow[]; held: HeldStatuses; nowMs: number },
): Promise<number> {
  if (serverIds.length === 0) return 0;
  const { servers, dependencies } = await readNeighbourhood(tx, serverIds);
  const causes = explainServers(servers, dependencies);
  const changes = (await readShown(tx, serverIds)).map((row) =>
    changeOf(row, { cause: causes.get(row.serverId) ?? null, windows, held: held.get(row.serverId) }, nowMs),
  );
  return await writeChanges(tx, changes);
}

/**
 * The same for every server for which anything else than a probe may have changed what is shown: maintenance
 * that began or ended, a status that a person set, dependencies that were registered or removed. With
 * `windowsChanged` also for those that are in maintenance already. Returns how many changed.
 */
export async function refreshAround(
  tx: Tx,
  windows: readonly ActiveWindow[],
  options: { nowMs: number; windowsChanged: boolean },
): Promise<number> {
  // No id holds what jsonb does not take.
  const cover = JSON.stringify(
    windows.map(({ everyServer, services, tenants }) => ({
      everyServer,
      services: [...services].map(cleanText),
      tenants: tenants === null ? null : [...tenants].map(cleanText),
    })),
  );
  const rows = await tx.execute<{ id: string }>(sql`
    WITH RECURSIVE depending(id) AS (
      SELECT m.id FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
      WHERE (s.own_status = 'error' OR s.failing_since IS NOT NULL) AND (${IS_DOWN} OR ${IS_FAILING})
      UNION SELECT d.server_id FROM mcp_server_dependency d JOIN depending r ON d.depends_on_server_id = r.id
    ), covers AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${cover}::jsonb) AS r("everyServer" boolean, services jsonb, tenants jsonb)
    )
    SELECT m.id FROM mcp_server m JOIN vitals.server_state s ON s.server_id = m.id
    WHERE s.own IS NOT NULL AND (
      s.because_of IS NOT NULL
      OR (m.status = 'maintenance') <> (s.verdict = 'maintenance')
      OR (${options.windowsChanged} AND s.verdict = 'maintenance')
      OR m.id IN (SELECT d.server_id FROM mcp_server_dependency d JOIN depending r ON d.depends_on_server_id = r.id)
      OR (s.verdict <> 'maintenance' AND EXISTS (SELECT 1 FROM covers c
        WHERE (c."everyServer" OR c.services ? m.id) AND (jsonb_typeof(c.tenants) IS DISTINCT FROM 'array' OR c.tenants ? m.tenant_id))))
    ORDER BY m.id FOR NO KEY UPDATE OF m, s SKIP LOCKED`);
  return await showAgain(
    tx,
    rows.map(({ id }) => id),
    { windows, held: new Map(), nowMs: options.nowMs },
  );
}

/** Why nobody is to be told of a server's own alerts now. */
export interface Suppression {
  because: 'maintenance' | 'dependency';
  /** The maintenance in words, or the id of the server that it is down because of. */
  by: string;
}

/** All servers whose alerts are muted: those in maintenance, and those that another one explains. */
export async function readSuppressions(tx: Tx): Promise<Map<string, Suppression>> {
  const rows = await tx.execute<{ id: string; becauseOf: string | null; message: string | null }>(sql`
    SELECT s.server_id AS id, s.because_of AS "becauseOf", s.message FROM vitals.server_state s
    WHERE s.verdict = 'maintenance' OR s.because_of IS NOT NULL`);
  return new Map(
    rows.map(({ id, becauseOf, message }) => [
      id,
      becauseOf === null
        ? { because: 'maintenance', by: message ?? 'maintenance' }
        : { because: 'dependency', by: becauseOf },
    ]),
  );
}
