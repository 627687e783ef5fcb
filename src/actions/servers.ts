import { randomBytes, randomUUID } from 'node:crypto';
import type { AddResult, NewServer, ServerDetail, ServerFilter, ServerSummary } from '../cli/actions.ts';
import { NONCE_BYTES, sealConfig } from '../core/secrets/seal.ts';
import { readRecentChecks, readServers, type ServerRow } from '../db/queries/server-details.ts';
import { deleteServers, findTenants, insertServers } from '../db/queries/servers.ts';
import { type ActionContext, withDatabase } from './context.ts';

/** The gateway wants an owner; one that nobody else can be. */
const OWNER = 'mcp-vitals';

/** Registers servers; one that has the id, or the name and address, of a registered one, or a tenant that does not exist, is left out. */
export function addServers(context: ActionContext, servers: NewServer[]): Promise<AddResult> {
  return withDatabase(context, async ({ db }) => {
    const known = await readServers(db, {});
    const addresses = new Set(known.map(({ name, endpointUrl }) => `${name}\n${endpointUrl}`));
    const ids = new Set(known.map(({ id }) => id));
    const tenantIds = servers.flatMap(({ tenantId }) => (tenantId === null ? [] : [tenantId]));
    const tenants = new Set(await findTenants(db, [...new Set(tenantIds)]));
    const result: AddResult = { added: [], skipped: [] };
    const rows = [];
    for (const server of servers) {
      const id = server.id ?? randomUUID();
      const address = `${server.name}\n${server.endpointUrl}`;
      if (ids.has(id)) result.skipped.push({ name: server.name, reason: `the id ${id} is taken` });
      else if (server.tenantId !== null && !tenants.has(server.tenantId))
        result.skipped.push({
          name: server.name,
          reason: `there is no tenant with the id ${server.tenantId}`,
        });
      else if (addresses.has(address))
        result.skipped.push({ name: server.name, reason: 'it is registered already' });
      else {
        ids.add(id);
        addresses.add(address);
        rows.push({ ...rowOf(id, server), authConfig: sealedOf(id, server, context) });
        result.added.push({ id, name: server.name });
      }
    }
    await insertServers(db, rows);
    return result;
  });
}

/** Credentials go into the registry sealed as soon as there is a key. */
function sealedOf(id: string, { authConfig, tenantId }: NewServer, context: ActionContext) {
  const [key] = context.config().secretKeys;
  if (!key || !authConfig || Object.keys(authConfig).length === 0) return authConfig;
  return sealConfig(authConfig, key, { serverId: id, tenantId }, randomBytes(NONCE_BYTES));
}

function rowOf(id: string, server: NewServer) {
  return {
    id,
    name: server.name,
    description: server.description,
    version: server.version ?? '',
    endpointUrl: server.endpointUrl,
    transportType: server.transportType,
    authType: server.authType,
    authConfig: server.authConfig,
    tags: server.tags,
    tenantId: server.tenantId,
    ownerId: OWNER,
    ...(server.intervalSeconds === undefined ? {} : { healthCheckInterval: server.intervalSeconds }),
  };
}

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function summaryOf(row: ServerRow): ServerSummary {
  return {
    id: row.id,
    name: row.name,
    transport: row.transport,
    verdict: row.verdict,
    reason: row.reason,
    message: row.message,
    responseMs: row.responseMs,
    endpointUrl: row.endpointUrl,
    tenantId: row.tenantId,
    tags: row.tags ?? [],
    status: row.status,
    checkedAt: isoOf(row.lastProbeMs),
  };
}

export function listServers(context: ActionContext, filter: ServerFilter): Promise<ServerSummary[]> {
  return withDatabase(context, async ({ db }) => (await readServers(db, filter)).map(summaryOf));
}

/** By id, or by name where only one server has it; null when there is none. */
export function showServer(context: ActionContext, idOrName: string): Promise<ServerDetail | null> {
  return withDatabase(context, async ({ db }) => {
    const rows = await readServers(db, { idOrName });
    const row = rows.find(({ id }) => id === idOrName) ?? (rows.length === 1 ? rows[0] : undefined);
    if (!row) return null;
    const recent = await readRecentChecks(db, row.id, 10);
    return {
      ...summaryOf(row),
      description: row.description,
      version: row.version === '' ? null : row.version,
      authType: row.authType,
      intervalSeconds: row.intervalSeconds ?? 300,
      nextProbeAt: isoOf(row.nextProbeMs),
      uptimePercent: row.uptimePercent,
      era: row.era,
      protocolVersion: row.protocolVersion,
      inventory: row.counts,
      recent: recent.map(({ atMs, ...check }) => ({ at: new Date(atMs).toISOString(), ...check })),
    };
  });
}

export function removeServers(
  context: ActionContext,
  ids: string[],
): Promise<{ removed: string[]; unknown: string[] }> {
  return withDatabase(context, async ({ db }) => {
    const removed = await deleteServers(db, ids);
    return { removed, unknown: ids.filter((id) => !removed.includes(id)) };
  });
}
