import { sql } from 'drizzle-orm';
import type { OpenDriftAlert } from '../../core/drift/decide-drift.ts';
import type { KnownName } from '../../core/drift/rules/lookalike-name.ts';
import type { ServerIdentity } from '../../core/drift/rules/server-renamed.ts';
import { NO_USAGE, toolOfRequest, USAGE_DAYS, type Usage } from '../../core/drift/usage.ts';
import type { Database } from '../client.ts';

type Tx = Pick<Database, 'execute'>;

/** What is remembered of a server's inventory; null when the server is not registered. */
export interface DriftMemory extends Record<string, unknown> {
  name: string;
  tenantId: string | null;
  /** null when the version was learnt from the server itself. */
  registeredVersion: string | null;
  inventoryHash: string | null;
  pinnedHash: string | null;
  /** The last snapshot that was taken; null before the first. */
  lastHash: string | null;
  lastTokens: number | null;
  lastIdentity: ServerIdentity | null;
  /** The changes of the last day, each from which hash to which. */
  steps: [from: string | null, to: string][];
  alerts: { key: string; active: boolean; data: Record<string, unknown> | null }[];
}

export async function readDriftMemory(db: Tx, serverId: string): Promise<DriftMemory | null> {
  const [row] = await db.execute<DriftMemory>(sql`
    SELECT m.name, m.tenant_id AS "tenantId",
      CASE WHEN m.version <> '' AND m.version IS DISTINCT FROM s.version_learnt THEN m.version END AS "registeredVersion",
      s.inventory_hash AS "inventoryHash", p.snapshot_hash AS "pinnedHash",
      c.snapshot_hash AS "lastHash", c.tokens AS "lastTokens", c.identity AS "lastIdentity",
      coalesce((SELECT json_agg(DISTINCT jsonb_build_array(previous_hash, snapshot_hash)) FROM vitals.inventory_change
        WHERE server_id = m.id AND changed_at > now() - interval '1 day'), '[]') AS steps,
      coalesce((SELECT json_agg(json_build_object('key', a.key, 'active', a.resolved_at IS NULL, 'data', a.data))
        FROM (SELECT key, resolved_at, data FROM vitals.alert
          WHERE server_id = m.id AND kind IN ('drift_breaking', 'drift_suspicious')
            AND (resolved_at IS NULL OR started_at > now() - interval '1 day')
          ORDER BY started_at DESC LIMIT 200) a), '[]') AS alerts
    FROM mcp_server m JOIN vitals.server_state s ON s.server_id = m.id
    LEFT JOIN vitals.inventory_pin p ON p.server_id = m.id
    LEFT JOIN LATERAL (SELECT snapshot_hash, tokens, identity FROM vitals.inventory_change
      WHERE server_id = m.id ORDER BY id DESC LIMIT 1) c ON true
    WHERE m.id = ${serverId}`);
  return row ?? null;
}

/** The open alerts of a memory in the shape that decides; what cannot be read waits for its day to pass. */
export function openAlertsOf(memory: DriftMemory): OpenDriftAlert[] {
  return memory.alerts
    .filter(({ active }) => active)
    .map(({ key, data }) => {
      const about = Array.isArray(data?.about) ? (data.about as unknown[]) : [];
      const read = about.filter(isAbout);
      return {
        key,
        previousHash: typeof data?.previousHash === 'string' ? data.previousHash : null,
        about: read,
        complete: data?.complete === true && read.length === about.length && read.length > 0,
        codes: Array.isArray(data?.codes) ? data.codes.map(String) : [],
      };
    });
}

function isAbout(value: unknown): value is [string, string, string | null] {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [kind, key, hash] = value as unknown[];
  return typeof kind === 'string' && typeof key === 'string' && (typeof hash === 'string' || hash === null);
}

export interface SnapshotRow extends Record<string, unknown> {
  hash: string;
  serverName: string | null;
  tokens: number;
  createdMs: number;
  /** JSON text: it may be long, and is read in slices. */
  items: string;
}

export async function readSnapshots(db: Tx, hashes: readonly string[]): Promise<Map<string, SnapshotRow>> {
  if (hashes.length === 0) return new Map();
  const rows = await db.execute<SnapshotRow>(sql`
    SELECT hash, server_name AS "serverName", tokens, items::text AS items,
      (extract(epoch FROM created_at) * 1000)::float8 AS "createdMs"
    FROM vitals.inventory_snapshot
    WHERE hash IN (SELECT jsonb_array_elements_text(${JSON.stringify(hashes)}::jsonb))`);
  return new Map(rows.map((row) => [row.hash, row]));
}

/** So many texts, a few megabytes at most, are asked for at once. */
const BODIES_AT_ONCE = 500;

/** The texts of definitions by their hashes; those that were too large to keep are missing. */
export async function readBodies(db: Tx, hashes: readonly string[]): Promise<Map<string, string>> {
  const bodies = new Map<string, string>();
  for (let from = 0; from < hashes.length; from += BODIES_AT_ONCE) {
    const some = JSON.stringify(hashes.slice(from, from + BODIES_AT_ONCE));
    const rows = await db.execute<{ hash: string; body: string }>(sql`
      SELECT hash, body FROM vitals.definition
      WHERE body IS NOT NULL AND hash IN (SELECT jsonb_array_elements_text(${some}::jsonb))`);
    for (const { hash, body } of rows) bodies.set(hash, body);
  }
  return bodies;
}

/** More rows than this in a week are counted without reading them all: the question is bounded in time. */
const USAGE_TIMEOUT = '2s';

/**
 * How much the server's tools were called: from the gateway's requests of the last days that name a tool
 * (metadata.tool or .toolName, also in custom, or the path), and mcp_tool's own counts. A database that
 * needs too long for that is not waited for.
 */
export async function readUsage(
  db: Pick<Database, 'transaction'>,
  serverId: string,
  tools: readonly string[],
): Promise<Usage> {
  if (tools.length === 0) return NO_USAGE;
  const total = await db.transaction(async (tx) => {
    const rows = await tx.execute<{ name: string; calls: number }>(sql`
      SELECT name, call_count AS calls FROM mcp_tool WHERE server_id = ${serverId} AND call_count > 0
        AND name IN (SELECT jsonb_array_elements_text(${JSON.stringify(tools)}::jsonb))`);
    return new Map(rows.map(({ name, calls }) => [name, Number(calls)]));
  });
  try {
    return { total, recent: await readRecentCalls(db, serverId) };
  } catch {
    // Counts are a comfort: a change is told without them rather than late.
    return { total, recent: null };
  }
}

async function readRecentCalls(
  db: Pick<Database, 'transaction'>,
  serverId: string,
): Promise<ReadonlyMap<string, number> | null> {
  const rows = await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT set_config('statement_timeout', ${USAGE_TIMEOUT}, true)`);
    return await tx.execute<{ named: string | null; path: string; calls: number }>(sql`
      SELECT named, CASE WHEN named IS NULL THEN path ELSE '' END AS path, count(*)::float8 AS calls
      FROM (SELECT path, left(coalesce(metadata->>'tool', metadata->>'toolName', metadata->'custom'->>'tool',
          metadata->'custom'->>'toolName'), 500) AS named
        FROM api_usage
        WHERE server_id = ${serverId} AND requested_at > now() - ${USAGE_DAYS} * interval '1 day') u
      WHERE named IS NOT NULL OR path LIKE '%/tools/%'
      GROUP BY 1, 2 LIMIT 20000`);
  });
  const recent = new Map<string, number>();
  for (const { named, path, calls } of rows) {
    const tool = toolOfRequest(named, path);
    if (tool !== null) recent.set(tool, (recent.get(tool) ?? 0) + Number(calls));
  }
  return recent.size > 0 ? recent : null;
}

/** More names of one tenant are not compared: what is found among these is worth telling all the same. */
const MAX_NAMES = 20_000;

/** The active tools of a tenant's servers. */
export async function readToolNames(db: Tx, tenantId: string | null): Promise<KnownName[]> {
  const rows = await db.execute<{ name: string; serverId: string; serverName: string }>(sql`
    SELECT t.name, m.id AS "serverId", m.name AS "serverName"
    FROM mcp_tool t JOIN mcp_server m ON m.id = t.server_id
    WHERE m.tenant_id IS NOT DISTINCT FROM ${tenantId} AND t.is_active
    ORDER BY t.created_at LIMIT ${MAX_NAMES}`);
  return [...rows];
}
