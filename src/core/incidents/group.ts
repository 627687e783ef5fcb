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
  let left = [...failing];
  const groups: Group[] = [];
  for (;;) {
    const candidates = PARTS.flatMap((part) => groupsBy(part, left, countOf, policy));
    const found = candidates.reduce<Group | null>(
      (best, group) => (isBetter(group, best) ? group : best),
      null,
    );
    if (found === null) return groups;
    groups.push(found);
    const taken = new Set(found.members.map(({ id }) => id));
    left = left.filter(({ id }) => !taken.has(id));
  }
}

function isBetter(group: Group, best: Group | null): boolean {
  if (best === null || group.members.length !== best.members.length)
    return best === null || group.members.length > best.members.length;
  const [rank, bestRank] = [PARTS.indexOf(group.part), PARTS.indexOf(best.part)];
  return rank < bestRank || (rank === bestRank && group.value < best.value);
}

function groupsBy(
  part: Part,
  failing: readonly FailingServer[],
  countOf: CountOf,
  { withinMs, minServers }: IncidentPolicy,
): Group[] {
  const byValue = new Map<string, FailingServer[]>();
  for (const server of failing) {
    const value = server.shared[part];
    if (value === null) continue;
    const list = byValue.get(value);
    if (list) list.push(server);
    else byValue.set(value, [server]);
  }
  const groups: Group[] = [];
  for (const [value, servers] of byValue) {
    if (servers.length < minServers || servers.length < FAIR_SHARE * countOf(part, value)) continue;
    const members = largestWithin(servers, withinMs);
    const [first] = members;
    const isReal = members.length >= minServers && members.some(({ confirmed }) => confirmed);
    if (first && isReal) groups.push({ part, value, sinceMs: first.sinceMs, members });
  }
  return groups;
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
