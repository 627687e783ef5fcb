import { findComponents } from './components.ts';
import type { Dependency } from './explain.ts';

/**
 * The groups of servers that depend on each other in a circle, whatever the type: the members of each
 * sorted, the groups too. A server that depends on itself is a group of one.
 */
export function findCycles(dependencies: Iterable<Pick<Dependency, 'serverId' | 'dependsOn'>>): string[][] {
  const needs = new Map<string, string[]>();
  const selfish = new Set<string>();
  for (const { serverId, dependsOn } of dependencies) {
    if (serverId === dependsOn) selfish.add(serverId);
    const need = needs.get(serverId);
    if (need) need.push(dependsOn);
    else needs.set(serverId, [dependsOn]);
  }
  return findComponents(
    [...new Set([...needs].flatMap(([id, need]) => [id, ...need]))].sort(),
    (id) => needs.get(id) ?? [],
  )
    .filter((members) => members.length > 1 || selfish.has(members[0] ?? ''))
    .map((members) => members.sort())
    .sort((one, other) => ((one[0] ?? '') < (other[0] ?? '') ? -1 : 1));
}
