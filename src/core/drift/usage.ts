/** How much a server's tools were called, as far as the gateway recorded it. */
export interface Usage {
  /** Calls of each tool within `USAGE_DAYS`; null when no request names a tool, or it could not be read. */
  recent: ReadonlyMap<string, number> | null;
  /** mcp_tool.call_count: all calls of each tool so far. */
  total: ReadonlyMap<string, number>;
}

export const USAGE_DAYS = 7;
export const NO_USAGE: Usage = { recent: null, total: new Map() };

const grouped = new Intl.NumberFormat('en-US');

/** "; 4,120 calls in the last 7 days used this tool"; empty where nothing is known. */
export function describeUsage(tool: string, { recent, total }: Usage): string {
  if (recent) {
    const calls = recent.get(tool) ?? 0;
    const count = calls === 0 ? 'no call' : `${grouped.format(calls)} call${calls === 1 ? '' : 's'}`;
    return `; ${count} in the last ${USAGE_DAYS} days used this tool`;
  }
  const calls = total.get(tool) ?? 0;
  return calls > 0 ? `; it was called ${grouped.format(calls)} time${calls === 1 ? '' : 's'} so far` : '';
}

/** Segments that stand where a tool's name may stand, and are none. */
const NO_NAMES = new Set(['call', 'list', '']);

/**
 * The tool that a request of the gateway called: what its metadata names, or else the path, as
 * `…/tools/<name>` or `…/tools/<name>/call`; null when neither names one.
 */
export function toolOfRequest(named: string | null, path: string): string | null {
  if (named !== null && named !== '') return named;
  const segment = /\/tools\/([^/?#]+)(?:\/(?:call|execute|invoke))?\/?(?:[?#].*)?$/.exec(path)?.[1] ?? '';
  if (NO_NAMES.has(segment)) return null;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
