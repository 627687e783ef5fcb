import { sql } from 'drizzle-orm';
import type { Database } from '../../client.ts';
import { USAGE_SOURCE } from '../arrivals.ts';
import {
  awaitWatermark,
  moveWatermark,
  restartWatermark,
  takeWatermark,
  type Watermark,
} from '../watermark.ts';
import { reportQuotas } from './counters.ts';
import type { EventPolicy } from './events.ts';
import { limitSlice } from './limit-slice.ts';
import { HOURS_OF_EACH_FOR, MINUTES_FOR } from './periods.ts';
import { prepareSession, runAll, type Session, USAGE_ROLLUP } from './session.ts';
import { foldSlice, NOTHING, storeSlice, type Taken } from './slice.ts';
import { deleteBuckets } from './store-delta.ts';

export interface UsageRollupOptions {
  policy: EventPolicy;
  /** How long a call may take to arrive and still be counted, in milliseconds. */
  graceMs: number;
  /** About so many calls are taken in a transaction, and whole transactions of whoever wrote them. */
  sliceRows?: number;
}

/** Some calls that arrived, on their way into the buckets. */
export interface NewSlice {
  /** Where the slice behind it begins, as soon as that is known; null when there is none. */
  next: Promise<Watermark | null>;
  /** Settled once it may be the turn of the slice behind it to wait for the watermark. */
  turn: Promise<void>;
  /** What was taken; null when another replica is at it, `moved` in another cluster. */
  done: Promise<Taken | 'moved' | null>;
}

const SLICE_ROWS = 1_000_000;

/**
 * Takes about `sliceRows` calls that arrived since the last run, in one transaction with the watermark. The slice
 * behind another one (`ahead`) is started before that one is done: it is folded beside it, and stored only if the
 * watermark is where it begins once it has it. What it folds without the watermark is the same: the transactions
 * below the horizon have ended.
 */
export function takeNew(
  db: Database,
  options: UsageRollupOptions,
  ahead?: { next: Watermark; turn: Promise<void> },
): NewSlice {
  const next = defer<Watermark | null>();
  const turn = defer<void>();
  const take = async (tx: Session): Promise<Taken | 'moved' | null> => {
    await prepareSession(tx);
    const whole = ahead?.next ?? (await takeWatermark(tx, USAGE_ROLLUP));
    if (!whole) return null;
    if (whole.moved) {
      await restartWatermark(tx, USAGE_ROLLUP, USAGE_SOURCE);
      return 'moved';
    }
    const mark = await limitSlice(tx, whole, options.sliceRows ?? SLICE_ROWS);
    next.resolve(mark.horizonXid < whole.horizonXid ? { ...whole, nextXid: mark.horizonXid } : null);
    const where = `vitals_xid >= ${mark.nextXid} AND vitals_xid < ${mark.horizonXid}`;
    const [any] = await tx.execute(sql.raw(`SELECT 1 FROM api_usage WHERE ${where} LIMIT 1`));
    if (any) await foldSlice(tx, where, lateBefore(mark, options));
    if (ahead) {
      // It locks nothing while it waits for the one ahead, which may be a large one.
      await tx.execute(sql`SELECT set_config('idle_in_transaction_session_timeout', '10min', true)`);
      await ahead.turn;
      if ((await awaitWatermark(tx, USAGE_ROLLUP))?.nextXid !== mark.nextXid) return null;
    }
    turn.resolve();
    const taken = any ? await storeSlice(tx, options.policy) : NOTHING;
    await forgetRecent(tx, mark);
    await moveWatermark(tx, mark);
    return taken;
  };
  const done = db.transaction(take).finally(() => {
    next.resolve(null);
    turn.resolve();
  });
  // Whoever started it may look at it later than it fails.
  done.catch(() => undefined);
  return { next: next.promise, turn: turn.promise, done };
}

const lateBefore = ({ takenAtMs }: Watermark, { graceMs }: UsageRollupOptions): number | null =>
  takenAtMs === null ? null : takenAtMs - graceMs;

/** What is kept for some hours only. The last run has forgotten what was older than that when it took its calls. */
function forgetRecent(tx: Session, { takenAtMs }: Watermark): Promise<void> {
  const since =
    takenAtMs === null
      ? "'-infinity'::timestamptz"
      : `to_timestamp(${takenAtMs / 1000}::float8) - interval '1 hour'`;
  const older = (age: string) => `period_start >= ${since} - ${age} AND period_start < now() - ${age}`;
  return runAll(tx, [
    deleteBuckets(`period = 'minute' AND ${older(MINUTES_FOR)}`),
    deleteBuckets(`period = 'hour' AND kind IN ('user', 'token') AND ${older(HOURS_OF_EACH_FOR)}`),
    reportQuotas(),
  ]);
}

function defer<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
