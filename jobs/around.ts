import { sql } from 'drizzle-orm';
import { createSharesToAsk } from '../src/core/incidents/whom-to-ask.ts';
import type { Policy } from '../src/core/policy.ts';
import type { Database } from '../src/db/client.ts';
import { readDependencyMark, recordCycles } from '../src/db/queries/dependencies.ts';
import { SHORT_TRANSACTION } from '../src/db/queries/fragments.ts';
import { detectIncidents, readFailing } from '../src/db/queries/incidents.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';
import { advanceWindows, type BadWindow, maintenanceAt } from '../src/db/queries/maintenance.ts';
import { resolveGoneReplicas } from '../src/db/queries/self-check.ts';
import { refreshAround } from '../src/db/queries/surroundings.ts';
import { wakeSharing } from '../src/db/queries/wake.ts';

export interface AroundDeps {
  db: Database;
  policy: () => Policy;
  /** Told once of each window that cannot be used. */
  onBadWindow: (window: BadWindow) => void;
}

export interface AroundResult {
  /** false: another replica was at it. */
  ran: boolean;
  advanced: number;
  shown: number;
  begun: number;
  ended: number;
  cycles: number;
}

/** After a change of maintenance everybody is looked at for so long: a row that was locked has its turn then. */
const SETTLE_MS = 5_000;
/** However little changes, once in a while all of it is looked at. */
const LOOK_AGAIN_MS = 60_000;

/**
 * The tick of what surrounds servers: windows advance, states are shown as their surroundings now are, and
 * incidents begin and end. Once in the cluster at a time, and the same whoever does it: what a replica
 * remembers between ticks only spares it work.
 */
export function createAround(deps: AroundDeps): { run(): Promise<AroundResult> } {
  let seen = { windows: '', lookUntilMs: 0, lookedMs: 0, dependencies: '' };
  const badSeen = new Set<string>();
  const sharesToAsk = createSharesToAsk();

  return {
    async run() {
      const { db } = deps;
      const policy = deps.policy();
      const startedAt = new Date();
      const done = await db.transaction(async (tx) => {
        const [lock] = await tx.execute<{ taken: boolean; nowMs: number }>(sql`
          SELECT ${SHORT_TRANSACTION}, pg_try_advisory_xact_lock(hashtext('vitals:around')) AS taken,
            (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"`);
        if (!lock?.taken) return null;
        const { nowMs } = lock;
        const { windows, advanced, bad } = await advanceWindows(tx, nowMs);
        tellBad(bad, badSeen, deps.onBadWindow);
        const active = maintenanceAt(windows, policy, nowMs);
        const mark = JSON.stringify(
          active.map((window) => ({
            ...window,
            services: [...window.services],
            tenants: [...(window.tenants ?? '*')],
          })),
        );
        const lookUntilMs = mark === seen.windows ? seen.lookUntilMs : nowMs + SETTLE_MS;
        const windowsChanged = nowMs < lookUntilMs || nowMs - seen.lookedMs > LOOK_AGAIN_MS;
        const shown = await refreshAround(tx, active, { nowMs, windowsChanged });
        const incidents = await detectIncidents(tx, policy.incidents, nowMs);
        const failing = await readFailing(tx);
        await resolveGoneReplicas(tx, nowMs);
        const dependencies = await readDependencyMark(tx);
        const cycles = dependencies === seen.dependencies ? null : await recordCycles(tx, nowMs);
        return {
          failing,
          nowMs,
          result: { ran: true, advanced, shown, ...incidents, cycles: cycles?.found ?? 0 },
          seen: {
            windows: mark,
            lookUntilMs,
            lookedMs: windowsChanged ? nowMs : seen.lookedMs,
            dependencies,
          },
        };
      });
      if (done === null) return { ran: false, advanced: 0, shown: 0, begun: 0, ended: 0, cycles: 0 };
      // Only what was committed counts as seen.
      ({ seen } = done);
      const { result } = done;
      await wakeSharing(db, sharesToAsk(done.failing, policy.incidents, done.nowMs));
      await recordJobRun(db, 'around', startedAt, result);
      return result;
    },
  };
}

function tellBad(bad: readonly BadWindow[], seen: Set<string>, tell: (window: BadWindow) => void): void {
  for (const window of bad) {
    const mark = `${window.id}\n${window.problem}`;
    if (!seen.has(mark)) tell(window);
    seen.add(mark);
  }
  // A list that only grows would hold every window that ever was wrong.
  if (seen.size > 10_000) seen.clear();
}
