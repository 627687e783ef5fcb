import type { ReplayCommand, ReplayResult } from '../cli/actions.ts';
import { monitorOfSettings } from '../core/monitor/monitor-settings.ts';
import { compareAlerts } from '../core/replay/compare-alerts.ts';
import { readRecord } from '../core/replay/health-record.ts';
import { createReplay } from '../core/replay/replay.ts';
import { findReplayStart, readHistory, readRaisedAlerts } from '../db/queries/history.ts';
import { readServers } from '../db/queries/server-details.ts';
import { configuredPolicy } from './configured-policy.ts';
import { type ActionContext, withDatabase } from './context.ts';

/** Decides a server's history again, and compares the alerts with those that were raised. */
export async function replayServer(
  context: ActionContext,
  command: ReplayCommand,
): Promise<ReplayResult | null> {
  const policy = command.policy ?? (await configuredPolicy(context));
  return await withDatabase(context, async ({ db }) => {
    const { idOrName, sinceMs } = command;
    const rows = await readServers(db, { idOrName });
    const server = rows.find(({ id }) => id === idOrName) ?? (rows.length === 1 ? rows[0] : undefined);
    if (!server) return null;
    const { id, name, tenantId, settings } = server;
    const replay = createReplay({
      subject: { id, name, tenantId },
      policy,
      objective: monitorOfSettings(settings).settings.slo.objective ?? policy.slo.objective,
      sinceMs,
    });
    const startMs = (await findReplayStart(db, id, sinceMs)) ?? sinceMs;
    for await (const row of readHistory(db, id, Math.min(startMs, sinceMs))) {
      context.stop.throwIfAborted();
      const probe = readRecord(row);
      if (probe) replay.add(probe);
    }
    const { alerts, firstDifference, ...counts } = replay.result();
    return {
      server: { id, name },
      since: new Date(sinceMs).toISOString(),
      ...counts,
      firstDifference: firstDifference && {
        at: new Date(firstDifference.atMs).toISOString(),
        stored: firstDifference.stored,
        replayed: firstDifference.replayed,
      },
      alerts: compareAlerts(alerts, await readRaisedAlerts(db, id, sinceMs)),
    };
  });
}
