import type parse from 'jsonpath-rfc9535/parser';

type Query = ReturnType<typeof parse>;
type Segment = Query['segments'][number];

/** Regular expressions of one side on text of the other are a way to stop the worker: these have none. */
const FUNCTIONS = ['length', 'count', 'value'];

/** A part of a parsed path, as far as it is walked through: the parser's nodes, whichever they are. */
type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

function* nodesOf(value: unknown): Generator<Node> {
  if (!isNode(value)) return;
  yield value;
  for (const member of Object.values(value)) yield* nodesOf(member);
}

/** What of a path's filters is not taken; null when all is. */
export function filterProblem(query: Query, text: string): string | null {
  for (const node of nodesOf(query)) {
    if (node.type === 'FunctionExpr' && !FUNCTIONS.includes(String(node.name))) {
      return `uses the function ${String(node.name)}; allowed are ${FUNCTIONS.join(', ')}`;
    }
  }
  // The library reads `a && b && c` as `a && (b || c)`: rather no answer than that one.
  return text.split('&&').length > 2 ? 'has more than one &&' : null;
}

/**
 * How many steps a path takes on any document of so many values and levels, at most. Each selector of a
 * segment multiplies what comes after it, and a descendant segment does for each level above a value
 * where it begins at values that lie within each other.
 */
export function worstCost(
  { segments }: { segments: readonly Segment[] },
  values: number,
  depth: number,
): number {
  let size = 1;
  let copies = 1;
  let nested = false;
  let cost = 1;
  for (const { type, node } of segments) {
    const selectors = node.type === 'BracketedSelection' ? node.selectors : [node];
    let starts = size;
    if (type === 'DescendantSegment') {
      copies *= nested ? depth : 1;
      nested = true;
      starts = values * copies;
    }
    const names = selectors.filter(({ type: kind }) => /Name|Index/.test(kind)).length;
    const wide = selectors.length - names;
    // Every value has one parent, so that what is below all starts is no more than all values.
    size = starts * names + values * copies * wide;
    for (const selector of selectors) {
      if (selector.type === 'FilterSelector')
        cost += values * copies * filterCost(selector.value, values, depth);
    }
    copies *= selectors.length;
    cost += starts + size;
    if (cost > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  }
  return cost;
}

/** What looking at one value costs: its expressions, and the queries in them. */
function filterCost(filter: unknown, values: number, depth: number): number {
  if (!isNode(filter)) return 0;
  if (filter.type === 'RelQuery' || filter.type === 'JsonPathQuery') {
    return worstCost({ segments: segmentsOf(filter) }, values, depth);
  }
  // A comparison of two values compares all that is in them.
  const own = filter.type === 'ComparisonExpr' && comparesQueries(filter) ? values : 1;
  return Object.values(filter).reduce<number>((sum, member) => sum + filterCost(member, values, depth), own);
}

const comparesQueries = ({ left, right }: Node): boolean =>
  [left, right].every((side) => isNode(side) && side.type !== 'Literal');

function segmentsOf({ segments }: Node): Segment[] {
  return Array.isArray(segments) ? segments : [];
}
