import type { IncidentPolicy } from '../policy.ts';
import type { SharedParts } from './shared-parts.ts';

/** From the most specific to the least. */
export const PARTS = [
  'host',
  'tokenIssuer',
  'domain',
  'certificateIssuer',
] as const satisfies readonly (keyof SharedParts)[];
export type Part = (typeof PARTS)[number];

/** A server whose last probe failed, and that nothing else explains. */
export interface FailingServer {
  id: string;
  name: string;
  /** When the first of its failures in a row was seen. */
  sinceMs: number;
  /** More than a slip: a second look has said the same. */
  confirmed: boolean;
  shared: SharedParts;
}

/** Servers that share one thing and failed together. */
export interface Group {
  part: Part;
  value: string;
  /** The first of them that failed. */
  sinceMs: number;
  members: FailingServer[];
}

/** Of the servers that share a thing, so many must fail before the thing is blamed. */
export const FAIR_SHARE = 0.5;
/** How long an incident is kept whose members have become too few for a new one. */
export const FEW_FOR_MS = 120_000;

/** How many servers share each thing, whether they are well or not: `countOf('host', 'example.com')`. */
export type CountOf = (part: Part, value: string) => number;

/**
 * The groups among servers that fail and belong to no incident yet; in each the failure of one member at
 * least is confirmed, so that a slip of a network is none. The thing that most of them share wins,
 * of equal ones the more specific; whom it takes belongs to no other.
 */
export function findGroups(
  failing: readonly FailingServer[],
  countOf: CountOf,
  policy: IncidentPolicy,
): Group[] {
  const sharing = indexShared(failing);
  const candidates = new Map<string, Group>();
  const look = (part: Part, value: string, servers: readonly FailingServer[]): void => {
    const group = groupOf(part, value, servers, countOf, policy);
    if (group) candidates.set(shareKey(part, value), group);
    else candidates.delete(shareKey(part, value));
  };
  for (const { part, value, servers } of sharing.values()) look(part, value, servers);
  const groups: Group[] = [];
  const taken = new Set<string>();
  for (;;) {
    let best: Group | null = null;
    for (const group of candidates.values()) if (isBetter(group, best)) best = group;
    if (best === null) return groups;
    groups.push(best);
    for (const { id } of best.members) taken.add(id);
    // Only what shares something with those that were taken is another group than before.
    const touched = new Set(best.members.flatMap(({ shared }) => sharesOf(shared)));
    for (const key of touched) {
      const share = sharing.get(key);
      if (!share) continue;
      share.servers = share.servers.filter(({ id }) => !taken.has(id));
      look(share.part, share.value, share.servers);
    }
  }
}

interface Share {
  part: Part;
  value: string;
  servers: FailingServer[];
}

/** What a share is found by. */
export const shareKey = (part: Part, value: string): string => `${part}\n${value}`;

function sharesOf(shared: SharedParts): string[] {
  return PARTS.flatMap((part) => {
    const value = shared[part];
    return value === null ? [] : [shareKey(part, value)];
  });
}

/** The servers by each thing that they share; `shareKey` is what they are found by. */
export function indexShared(failing: readonly FailingServer[]): Map<string, Share> {
  const shares = new Map<string, Share>();
  for (const server of failing) {
    for (const part of PARTS) {
      const value = server.shared[part];
      if (value === null) continue;
      const key = shareKey(part, value);
      const share = shares.get(key);
      if (share) share.servers.push(server);
      else shares.set(key, { part, value, servers: [server] });
    }
  }
  return shares;
}

/** What so many of these servers share that it may be a group: worth asking how many share it in all. */
export function sharedByMany(
  failing: readonly FailingServer[],
  { minServers }: IncidentPolicy,
): { part: Part; value: string }[] {
  return [...indexShared(failing).values()]
    .filter(({ servers }) => servers.length >= minServers)
    .map(({ part, value }) => ({ part, value }));
}

function isBetter(group: Group, best: Group | null): boolean {
  if (best === null || group.members.length !== best.members.length)
    return best === null || group.members.length > best.members.length;
  const [rank, bestRank] = [PARTS.indexOf(group.part), PARTS.indexOf(best.part)];
  return rank < bestRank || (rank === bestRank && group.value < best.value);
}

function groupOf(
  part: Part,
  value: string,
  servers: readonly FailingServer[],
  countOf: CountOf,
  { withinMs, minServers }: IncidentPolicy,
): Group | null {
  if (servers.length < minServers || servers.length < FAIR_SHARE * countOf(part, value)) return null;
  const members = largestWithin(servers, withinMs);
  const [first] = members;
  const isReal = members.length >= minServers && members.some(({ confirmed }) => confirmed);
  return first && isReal ? { part, value, sinceMs: first.sinceMs, members } : null;
}

/** The most servers that began to fail within so long; of equal many the latest. Sorted by time. */
function largestWithin(servers: readonly FailingServer[], withinMs: number): FailingServer[] {
  const sorted = [...servers].sort((a, b) => a.sinceMs - b.sinceMs || (a.id < b.id ? -1 : 1));
  let best: [from: number, to: number] = [0, 0];
  let from = 0;
  sorted.forEach((server, to) => {
    while (server.sinceMs - (sorted[from]?.sinceMs ?? 0) > withinMs) from += 1;
    if (to - from >= best[1] - best[0]) best = [from, to];
  });
  return sorted.slice(best[0], best[1] + 1);
}

/** An incident that is under way. */
export interface OpenIncident {
  part: Part;
  value: string;
  sinceMs: number;
  /** Since when its members are too few; null while they are not. */
  fewSinceMs: number | null;
}

/**
 * An incident now: who belongs to it (all that share the thing and began to fail since it began), and whether
 * it is over: when all are well again, or when they have been too few for a while.
 */
export function continueIncident(
  incident: OpenIncident,
  failing: readonly FailingServer[],
  policy: IncidentPolicy,
  nowMs: number,
): { members: FailingServer[]; fewSinceMs: number | null; over: boolean } {
  const earliestMs = incident.sinceMs - policy.withinMs;
  const members = failing.filter(
    ({ shared, sinceMs }) => shared[incident.part] === incident.value && sinceMs >= earliestMs,
  );
  if (members.length >= policy.minServers) return { members, fewSinceMs: null, over: false };
  const fewSinceMs = incident.fewSinceMs ?? nowMs;
  return { members, fewSinceMs, over: members.length === 0 || nowMs - fewSinceMs >= FEW_FOR_MS };
}
