import { sql } from 'drizzle-orm';
import { countCalls } from './count-calls.ts';
import { countTenants } from './counters.ts';
import { type EventPolicy, reportUsage } from './events.ts';
import { foldCalls } from './fold-calls.ts';
import { runAll, type Session } from './session.ts';
import { findSetAside, reportSetAside } from './set-aside.ts';
import { addDelta } from './store-delta.ts';

export interface Taken {
  /** Calls that were counted. */
  taken: number;
  /** Calls that were not, by why; `late` among them. */
  setAside: Record<string, number>;
}

export const NOTHING: Taken = { taken: 0, setAside: {} };

/** Leaves in temporary tables what calls are; only reads, so that nobody waits for it. */
export const foldSlice = (tx: Session, where: string, lateBeforeMs: number | null): Promise<void> =>
  runAll(tx, [...foldCalls({ where, lateBeforeMs, recent: true }), ...findSetAside(where, lateBeforeMs)]);

/** Stores what `foldSlice` left, and says how much it was. */
export async function storeSlice(tx: Session, policy: EventPolicy): Promise<Taken> {
  await runAll(tx, [
    ...reportSetAside(),
    addDelta(),
    ...countCalls(),
    ...countTenants(),
    ...reportUsage(policy),
  ]);
  const [sum] = await tx.execute<{ taken: number }>(
    sql`SELECT coalesce(sum(n), 0)::float8 AS taken FROM u_calls`,
  );
  const aside = await tx.execute<{ problem: string; n: number }>(
    sql`SELECT problem, n::float8 AS n FROM u_aside`,
  );
  return {
    taken: sum?.taken ?? 0,
    setAside: Object.fromEntries(aside.map(({ problem, n }) => [problem, n])),
  };
}
