/**
 * The strongly connected components of a graph (Tarjan): groups of nodes that all reach each other; most
 * are single nodes. A component comes after every one that it leads to. Iterative, so that no chain is
 * too long for the stack; the order depends on the order of `nodes` and of each node's successors alone.
 */
export function findComponents(
  nodes: readonly string[],
  successorsOf: (node: string) => readonly string[],
): string[][] {
  const known = new Set(nodes);
  const indexOf = new Map<string, number>();
  const lowOf = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const components: string[][] = [];

  interface Visit {
    node: string;
    successors: readonly string[];
    next: number;
  }
  const enter = (node: string): Visit => {
    indexOf.set(node, indexOf.size);
    lowOf.set(node, indexOf.size - 1);
    open.push(node);
    isOpen.add(node);
    return { node, successors: successorsOf(node), next: 0 };
  };
  const lower = (node: string, value: number | undefined): void => {
    lowOf.set(node, Math.min(lowOf.get(node) ?? 0, value ?? 0));
  };
  const leave = (node: string): void => {
    if (lowOf.get(node) !== indexOf.get(node)) return;
    const component: string[] = [];
    for (let member = open.pop(); member !== undefined; member = open.pop()) {
      isOpen.delete(member);
      component.push(member);
      if (member === node) break;
    }
    components.push(component);
  };

  for (const start of nodes) {
    if (indexOf.has(start)) continue;
    const path: Visit[] = [enter(start)];
    for (let visit = path.at(-1); visit; visit = path.at(-1)) {
      const successor = visit.successors[visit.next];
      visit.next += 1;
      if (successor === undefined) {
        path.pop();
        leave(visit.node);
        const parent = path.at(-1);
        if (parent) lower(parent.node, lowOf.get(visit.node));
      } else if (!indexOf.has(successor)) {
        if (known.has(successor)) path.push(enter(successor));
      } else if (isOpen.has(successor)) {
        lower(visit.node, indexOf.get(successor));
      }
    }
  }
  return components;
}
