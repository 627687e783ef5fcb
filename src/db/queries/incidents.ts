import { sql } from 'drizzle-orm';
import { alertKey } from '../../core/alerts/alert.ts';
import {
  continueIncident,
  FAIR_SHARE,
  type FailingServer,
  findGroups,
  type Group,
  PARTS,
  type Part,
  sharedByMany,
} from '../../core/incidents/group.ts';
import type { SharedParts } from '../../core/incidents/shared-parts.ts';
import { cleanText } from '../../core/inventory.ts';
import type { IncidentPolicy } from '../../core/policy.ts';
import { recordAlertChanges } from './alerts.ts';
import { SHARED_PARTS } from './fragments.ts';
import type { Tx } from './store-statements.ts';

/** So many members are named in an incident; all are counted. */
const MAX_NAMED = 100;

const PART_NAMES: Record<Part, string> = {
  host: 'the host',
  tokenIssuer: 'the token issuer',
  domain: 'the domain',
  certificateIssuer: 'the certificate issuer',
};

interface IncidentRow extends Record<string, unknown> {
  id: string;
  key: string;
  data: {
    part?: unknown;
    value?: unknown;
    sinceMs?: unknown;
    fewSinceMs?: unknown;
    count?: unknown;
    failing?: unknown;
  };
}

/**
 * Finds servers that share something and failed together: one incident speaks for them all. Carries on
 * those that are under way, and ends those that are over. What it writes is the same however often, and on
 * whichever replica, it is asked; it must run in a transaction, and takes a lock that is held to its end.
 */
export async function detectIncidents(
  tx: Tx,
  policy: IncidentPolicy,
  nowMs: number,
): Promise<{ begun: number; ended: number }> {
  const [state] = await tx.execute<{ failing: boolean; open: boolean }>(sql`
    SELECT EXISTS (SELECT 1 FROM vitals.server_state WHERE failing_since IS NOT NULL) AS failing,
      EXISTS (SELECT 1 FROM vitals.alert WHERE kind = 'incident' AND resolved_at IS NULL) AS open`);
  if (!state?.failing && !state?.open) return { begun: 0, ended: 0 };
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtext('vitals:incidents'))`);
  const open = await tx.execute<IncidentRow>(sql`
    SELECT id, key, data FROM vitals.alert WHERE kind = 'incident' AND resolved_at IS NULL ORDER BY started_at, key`);
  const failing = await readFailing(tx);
  const members = new Map<string, FailingServer[]>();
  const taken = new Set<string>();
  const over: string[] = [];
  for (const row of open) {
    const left = failing.filter(({ id }) => !taken.has(id));
    const next = continueIncident(incidentOf(row), left, policy, nowMs);
    if (next.over) over.push(row.key);
    else members.set(row.key, next.members);
    if (!next.over) for (const { id } of next.members) taken.add(id);
    await updateIncident(tx, row, next.members, next.fewSinceMs);
  }
  // What one that has just ended leaves behind is not at once another.
  const left = failing.filter(({ id }) => !taken.has(id));
  const groups =
    left.length < policy.minServers ? [] : findGroups(left, await countShared(tx, left, policy), policy);
  for (const group of groups) members.set(keyOf(group), group.members);
  await recordAlertChanges(tx, [
    ...over.map((key) => ({ action: 'resolve' as const, key, atMs: nowMs })),
    ...groups.map((group) => fireOf(group, nowMs)),
  ]);
  await assignMembers(tx, members);
  return { begun: groups.length, ended: over.length };
}

const keyOf = ({ part, value }: Pick<Group, 'part' | 'value'>): string => alertKey('incident', part, value);

/** Servers whose last probe failed, and that nothing else explains: no maintenance, no other server. */
export async function readFailing(tx: Tx): Promise<FailingServer[]> {
  const rows = await tx.execute<{
    id: string;
    name: string;
    sinceMs: number;
    confirmed: boolean;
    shared: SharedParts | null;
  }>(sql`
    SELECT m.id, m.name, coalesce(s.own_status = 'error', false) AS confirmed, (extract(epoch FROM s.failing_since) * 1000)::float8 AS "sinceMs", s.shared
    FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
    WHERE s.failing_since IS NOT NULL AND s.because_of IS NULL AND s.verdict IS DISTINCT FROM 'maintenance'
      AND (m.status <> 'inactive' OR s.status_written = 'inactive')
    ORDER BY m.id`);
  return rows.map(({ shared, ...row }) => ({ ...row, shared: { ...NOTHING, ...shared } }));
}

const NOTHING: SharedParts = { host: null, domain: null, certificateIssuer: null, tokenIssuer: null };

/**
 * How many servers that are watched share each thing that may be a group of these. The whole fleet is counted
 * once, and only when there is something to ask of it.
 */
async function countShared(tx: Tx, servers: readonly FailingServer[], policy: IncidentPolicy) {
  const wanted = sharedByMany(servers, policy);
  const counts = new Map<string, number>();
  if (wanted.length > 0) {
    const rows = await tx.execute<{ part: Part; value: string; count: number }>(sql`
      SELECT p.part, p.value, count(*)::int AS count
      FROM vitals.server_state s
      JOIN mcp_server m ON m.id = s.server_id
      CROSS JOIN LATERAL ${SHARED_PARTS}
      WHERE (m.status <> 'inactive' OR s.status_written = 'inactive') AND (p.part, p.value) IN (
        SELECT r.part, r.value FROM jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) AS r(part text, value text))
      GROUP BY 1, 2`);
    for (const { part, value, count } of rows) counts.set(`${part}\n${value}`, count);
  }
  return (part: Part, value: string): number => counts.get(`${part}\n${value}`) ?? 0;
}

function incidentOf({ data }: IncidentRow) {
  const part = PARTS.find((known) => known === data.part) ?? 'host';
  return {
    part,
    value: typeof data.value === 'string' ? data.value : '',
    sinceMs: typeof data.sinceMs === 'number' ? data.sinceMs : 0,
    fewSinceMs: typeof data.fewSinceMs === 'number' ? data.fewSinceMs : null,
  };
}

const named = (members: readonly FailingServer[]) =>
  members.slice(0, MAX_NAMED).map(({ id, name }) => ({ id, name: cleanText(name).slice(0, 200) }));

function fireOf(group: Group, nowMs: number) {
  const { part, value, members, sinceMs } = group;
  const names = members.slice(0, 10).map(({ name }) => cleanText(name));
  return {
    action: 'fire' as const,
    kind: 'incident' as const,
    key: keyOf(group),
    severity: 'critical' as const,
    serverId: null,
    tenantId: null,
    title: `${members.length} servers failed together: they share ${PART_NAMES[part]} ${cleanText(value)}`,
    description: `${names.join(', ')}${members.length > names.length ? ', …' : ''} began to fail within a short time, and at least ${FAIR_SHARE * 100}% of the servers that share it fail. Look at what they share first.`,
    data: { part, value, sinceMs, fewSinceMs: null, members: named(members), count: members.length },
    atMs: nowMs,
  };
}

/** Keeps the members of an incident as they are now; the ones that it ends with stay as its last word. */
async function updateIncident(
  tx: Tx,
  row: IncidentRow,
  members: readonly FailingServer[],
  fewSinceMs: number | null,
): Promise<void> {
  const grown = members.length > Number(row.data.count ?? 0);
  const before = typeof row.data.fewSinceMs === 'number' ? row.data.fewSinceMs : null;
  if (!grown && before === fewSinceMs && row.data.failing === members.length) return;
  const change = {
    fewSinceMs,
    failing: members.length,
    ...(grown ? { members: named(members), count: members.length } : {}),
  };
  await tx.execute(sql`
    UPDATE vitals.alert SET data = data || ${JSON.stringify(change)}::jsonb WHERE id = ${row.id}::uuid`);
}

/** The alerts of members say which incident speaks for them; those of others speak for themselves. */
async function assignMembers(tx: Tx, members: ReadonlyMap<string, readonly FailingServer[]>): Promise<void> {
  const rows = JSON.stringify(
    [...members].flatMap(([key, servers]) => servers.map(({ id }) => ({ key, serverId: id }))),
  );
  // One that a store is just ending needs nobody to speak for it.
  await tx.execute(sql`
    UPDATE vitals.alert a SET incident_id = w.incident_id
    FROM (
      SELECT a.id, i.id AS incident_id
      FROM vitals.alert a
      LEFT JOIN jsonb_to_recordset(${rows}::jsonb) AS r(key text, "serverId" text) ON r."serverId" = a.server_id
      LEFT JOIN vitals.alert i ON i.key = r.key AND i.resolved_at IS NULL
      WHERE a.resolved_at IS NULL AND a.kind IN ('server_down', 'server_unauthenticated')
        AND a.incident_id IS DISTINCT FROM i.id
      ORDER BY a.id FOR NO KEY UPDATE OF a SKIP LOCKED
    ) w
    WHERE a.id = w.id`);
}
