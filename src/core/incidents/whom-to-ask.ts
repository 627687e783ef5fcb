import type { IncidentPolicy } from '../policy.ts';
import { type FailingServer, indexShared, type Part, shareKey } from './group.ts';

/** What healthy servers have in common with failing ones, and how many of them are worth a look. */
export interface ShareToAsk {
  part: Part;
  value: string;
  ask: number;
}

/** So many are asked about at first: one failure is most likely a server's own. */
const FEW = 10;
const MOST = 100;
/** A fleet that fails as a whole has more in common than there is to ask about. */
const MOST_SHARES = 200;
const AGAIN_MS = 60_000;

/**
 * Decides which healthy servers to look at, so that it shows within a minute what fails together, whatever
 * the intervals of the servers are: a few as soon as one has begun to fail, and, once so many fail that it
 * may be an incident, more with each that joins them. Otherwise what was asked is not asked again for a minute.
 */
export function createSharesToAsk(): (
  failing: readonly FailingServer[],
  policy: IncidentPolicy,
  nowMs: number,
) => ShareToAsk[] {
  const asked = new Map<string, { atMs: number; failing: number }>();
  return (failing, { withinMs, minServers }, nowMs) => {
    for (const [key, { atMs }] of asked) if (nowMs - atMs >= AGAIN_MS) asked.delete(key);
    const recent = failing.filter(({ sinceMs }) => nowMs - sinceMs <= withinMs);
    const shares: ShareToAsk[] = [];
    for (const { part, value, servers } of indexShared(recent).values()) {
      if (shares.length >= MOST_SHARES) break;
      const key = shareKey(part, value);
      const before = asked.get(key);
      const joined = servers.length - (before?.failing ?? 0);
      if (before && (servers.length < minServers || joined <= 0)) continue;
      shares.push({ part, value, ask: before ? Math.min(MOST, FEW * joined) : FEW });
      asked.set(key, { atMs: nowMs, failing: servers.length });
    }
    return shares;
  };
}
