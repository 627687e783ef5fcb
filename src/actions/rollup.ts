import { setTimeout as sleep } from 'node:timers/promises';
import type { RollupCommand, RollupResult } from '../cli/actions.ts';
import { recomputeUsageDay } from '../db/rollup/usage/recompute.ts';
import { configuredPolicy } from './configured-policy.ts';
import { type ActionContext, withDatabase } from './context.ts';

const DAY_MS = 86_400_000;
const BUSY_MS = 200;

/** Recomputes the UTC days of a range from the calls that are there, each in a transaction of its own. */
export async function rollUpRange(context: ActionContext, command: RollupCommand): Promise<RollupResult> {
  const { slo, latency } = await configuredPolicy(context);
  const first = Math.floor(command.fromMs / DAY_MS);
  const total = Math.max(0, Math.ceil(command.toMs / DAY_MS) - first);
  return await withDatabase(context, async ({ db }) => {
    const result: RollupResult = { days: total, changed: 0, incomplete: [] };
    for (let done = 0; done < total; ) {
      context.stop.throwIfAborted();
      const fromMs = (first + done) * DAY_MS;
      const day = await recomputeUsageDay(db, {
        fromMs,
        policy: { objective: slo.objective, latency },
        dryRun: command.dryRun,
      });
      // A replica is rolling up: a run takes some seconds.
      if (!day) {
        await sleep(BUSY_MS);
        continue;
      }
      result.changed += day.changed;
      if (day.incomplete) result.incomplete.push(new Date(fromMs).toISOString().slice(0, 10));
      done += 1;
      command.onProgress({ done, total });
    }
    return result;
  });
}
