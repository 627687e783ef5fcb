import type { Cause } from '../health/context.ts';
import { findComponents } from './components.ts';

/** A row of mcp_server_dependency: `serverId` needs `dependsOn`. */
export interface Dependency {
  serverId: string;
  dependsOn: string;
  type: 'required' | 'optional' | 'fallback';
}

export interface DependentServer {
  id: string;
  name: string;
  /** Its last probe failed, whether or not that is confirmed yet. */
  failing: boolean;
  /** Confirmed down by itself. */
  down: boolean;
}

/** How far a server is from what explains it, and what that is. */
interface Explanation {
  root: string;
  depth: number;
}

/**
 * Who is down or degraded because of whom.
 *
 * - A server is broken when it is down by itself, or when a server that it requires is broken.
 * - A server with fallbacks is only broken by what it requires once all its fallbacks are broken, too.
 * - What is explained names the root: the server at the end of the chain that is down by itself. Of several
 *   the nearest counts, then the one with the smallest id.
 * - A server that fails itself is explained by a required one that merely fails; one that is well only by
 *   one that is confirmed down.
 * - In a cycle of servers that are down by themselves, the one with the smallest id is not explained.
 * - An optional one that is broken explains a server that is not broken itself.
 */
export function explainServers(
  servers: Iterable<DependentServer>,
  dependencies: Iterable<Dependency>,
): Map<string, Cause> {
  const fleet = new Map([...servers].map((server) => [server.id, server]));
  const needs = groupNeeds(fleet, dependencies);
  const broken = findBroken(fleet, needs);
  const explained = findRoots(fleet, needs, broken);
  const causes = new Map<string, Cause>();
  for (const [id, need] of needs) {
    const server = fleet.get(id);
    const own = explained.get(id);
    const isRequired = own !== undefined && own.root !== id;
    const found = isRequired ? own : optionalRoot(need, broken, explained);
    const root = found === undefined ? undefined : fleet.get(found.root);
    if (!server || !root || root.id === id || (!isRequired && broken.has(id))) continue;
    const type = isRequired ? (need.fallback.length > 0 ? 'fallback' : 'required') : 'optional';
    causes.set(id, { serverId: root.id, name: root.name, type });
  }
  return causes;
}

/** What a server depends on, by type. */
type Need = Record<Dependency['type'], string[]>;

function groupNeeds(
  fleet: ReadonlyMap<string, DependentServer>,
  dependencies: Iterable<Dependency>,
): Map<string, Need> {
  const needs = new Map<string, Need>();
  for (const { serverId, dependsOn, type } of dependencies) {
    if (serverId === dependsOn || !fleet.has(serverId) || !fleet.has(dependsOn)) continue;
    const need = needs.get(serverId) ?? { required: [], optional: [], fallback: [] };
    need[type]?.push(dependsOn);
    needs.set(serverId, need);
  }
  return needs;
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Whether a fallback still stands in for what is missing. */
const isMasked = (need: Need, isBad: (id: string) => boolean): boolean =>
  need.fallback.length > 0 && !need.fallback.every(isBad);

/** The servers that cannot work: the least set that the rules give, so that a cycle alone breaks nothing. */
function findBroken(
  fleet: ReadonlyMap<string, DependentServer>,
  needs: ReadonlyMap<string, Need>,
): Set<string> {
  const broken = new Set<string>();
  const dependents = new Map<string, string[]>();
  for (const [id, need] of needs) {
    for (const dependsOn of [...need.required, ...need.fallback]) append(dependents, dependsOn, id);
  }
  const waiting = [...fleet.values()].filter(({ down }) => down).map(({ id }) => id);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (broken.has(id)) continue;
    broken.add(id);
    for (const dependent of dependents.get(id) ?? []) {
      const need = needs.get(dependent);
      if (!need || broken.has(dependent)) continue;
      const isBroken = (other: string): boolean => broken.has(other);
      if (need.required.some(isBroken) && !isMasked(need, isBroken)) waiting.push(dependent);
    }
  }
  return broken;
}

/** For each broken or failing server the one that explains it: itself, when nothing else does. */
function findRoots(
  fleet: ReadonlyMap<string, DependentServer>,
  needs: ReadonlyMap<string, Need>,
  broken: ReadonlySet<string>,
): Map<string, Explanation> {
  const bad = [...fleet.values()].filter(({ id, failing, down }) => failing || down || broken.has(id));
  const reasons = new Map(bad.map((server) => [server.id, reasonsOf(server, fleet, needs, broken)]));
  const explained = new Map<string, Explanation>();
  // What others depend on comes first, so that the end of each chain is known before its beginning.
  for (const members of findComponents([...reasons.keys()].sort(), (id) => reasons.get(id) ?? []))
    explainTogether(members, reasons, (id) => standsAlone(fleet.get(id)), explained);
  return explained;
}

const standsAlone = (server: DependentServer | undefined): boolean =>
  server !== undefined && (server.down || server.failing);

/** The required servers that a bad one is bad because of, directly. */
function reasonsOf(
  server: DependentServer,
  fleet: ReadonlyMap<string, DependentServer>,
  needs: ReadonlyMap<string, Need>,
  broken: ReadonlySet<string>,
): string[] {
  const need = needs.get(server.id);
  if (!need) return [];
  const isBad = (id: string): boolean =>
    broken.has(id) || ((server.failing || server.down) && fleet.get(id)?.failing === true);
  return isMasked(need, isBad) ? [] : need.required.filter(isBad);
}

/** The members of a cycle (or a single server) are explained from outside, or by one of their own. */
function explainTogether(
  members: readonly string[],
  reasons: ReadonlyMap<string, readonly string[]>,
  isRootLike: (id: string) => boolean,
  explained: Map<string, Explanation>,
): void {
  const inside = new Set(members);
  const followers = new Map<string, string[]>();
  for (const id of members) {
    for (const reason of reasons.get(id) ?? []) {
      if (inside.has(reason)) append(followers, reason, id);
    }
  }
  let level = new Map<string, Explanation>();
  for (const id of members) {
    const outside = (reasons.get(id) ?? []).filter((reason) => !inside.has(reason));
    const nearest = best(outside.map((reason) => stepFrom(explained.get(reason))));
    if (nearest) level.set(id, nearest);
  }
  if (level.size === 0) {
    const root = [...members].sort().find(isRootLike);
    if (root === undefined) return;
    level.set(root, { root, depth: 0 });
  }
  // In the order of distance: one that comes from far outside may be overtaken by a nearer one.
  while (level.size > 0) {
    const depth = Math.min(...[...level.values()].map((found) => found.depth));
    const next = new Map<string, Explanation>();
    for (const [id, found] of level) {
      if (explained.has(id)) continue;
      if (found.depth > depth) {
        keepBetter(next, id, found);
        continue;
      }
      explained.set(id, found);
    }
    for (const [id, found] of level) {
      if (found.depth !== depth) continue;
      for (const follower of followers.get(id) ?? []) {
        if (!explained.has(follower)) keepBetter(next, follower, stepFrom(found));
      }
    }
    level = next;
  }
}

const stepFrom = (found: Explanation | undefined): Explanation | undefined =>
  found && { root: found.root, depth: found.depth + 1 };

function keepBetter(level: Map<string, Explanation>, id: string, found: Explanation | undefined): void {
  const better = best([level.get(id), found]);
  if (better) level.set(id, better);
}

function best(candidates: readonly (Explanation | undefined)[]): Explanation | undefined {
  let found: Explanation | undefined;
  for (const candidate of candidates) {
    if (!candidate) continue;
    const isBetter =
      !found ||
      candidate.depth < found.depth ||
      (candidate.depth === found.depth && candidate.root < found.root);
    if (isBetter) found = candidate;
  }
  return found;
}

/** What an optional dependency is broken by; a fallback that is left masks optional ones, too. */
function optionalRoot(
  need: Need,
  broken: ReadonlySet<string>,
  explained: ReadonlyMap<string, Explanation>,
): Explanation | undefined {
  const isBroken = (id: string): boolean => broken.has(id);
  if (isMasked(need, isBroken)) return undefined;
  return best(need.optional.filter(isBroken).map((id) => explained.get(id)));
}
