import type { HistoryResult, UptimeResult } from '../cli/actions.ts';
import { countChecks, EMPTY_BUCKET, percentilesOf } from '../core/history/health-bucket.ts';
import { worstOf } from '../core/history/worst-reason.ts';
import { readHealthHistory } from '../db/queries/health-history.ts';
import { readOutages, readUptime } from '../db/queries/health-uptime.ts';
import { readServers } from '../db/queries/server-details.ts';
import { type ActionContext, withDatabase } from './context.ts';
import { findServer } from './find-server.ts';

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** How servers were over a range, from its tiers: one server, or all for null. */
export function readUptimeOf(
  context: ActionContext,
  idOrName: string | null,
  range: { fromMs: number; toMs: number },
): Promise<UptimeResult | null> {
  return withDatabase(context, async ({ db }) => {
    const found = idOrName === null ? await readServers(db, {}) : [await findServer(db, idOrName)];
    const servers = found.filter((server) => server !== null);
    if (idOrName !== null && servers.length === 0) return null;
    const ids = servers.map(({ id }) => id);
    const { segments, servers: buckets } = await readUptime(db, ids, range);
    const fromMs = segments[0]?.fromMs ?? range.fromMs;
    const outages = await readOutages(db, ids, { ...range, fromMs });
    return {
      from: isoOf(fromMs),
      to: isoOf(segments[segments.length - 1]?.toMs ?? range.toMs),
      segments: segments.map((part) => ({
        tier: part.tier,
        from: isoOf(part.fromMs),
        to: isoOf(part.toMs),
      })),
      servers: servers.map(({ id, name }) => {
        const { verdicts, reasons, responses, responseMsSum, latency } = buckets.get(id) ?? EMPTY_BUCKET;
        const { checks, counted, up } = countChecks(verdicts);
        return {
          id,
          name,
          checks,
          counted,
          up,
          upRatio: counted === 0 ? null : up / counted,
          incidents: outages.get(id)?.incidents ?? 0,
          incidentSeconds: Math.round(outages.get(id)?.seconds ?? 0),
          verdicts,
          meanMs: responses === 0 ? null : Math.round((10 * responseMsSum) / responses) / 10,
          ...percentilesOf(latency),
          worst: worstOf(verdicts, reasons),
        };
      }),
    };
  });
}

/** The history of a server in at most so many points. */
export function readHistoryOf(
  context: ActionContext,
  idOrName: string,
  range: { fromMs: number; toMs: number; maxPoints: number },
): Promise<HistoryResult | null> {
  return withDatabase(context, async ({ db }) => {
    const server = await findServer(db, idOrName);
    if (!server) return null;
    const { tier, stepMs, fromMs, toMs, servers } = await readHealthHistory(db, [server.id], range);
    return {
      server: { id: server.id, name: server.name },
      tier,
      stepSeconds: stepMs / 1000,
      from: isoOf(fromMs),
      to: isoOf(toMs),
      points: (servers[0]?.points ?? []).map(({ atMs, ...point }) => ({ at: isoOf(atMs), ...point })),
    };
  });
}
