/** How far the worker has come in turning raw rows into history. */
import { bigint, boolean, text } from 'drizzle-orm/pg-core';
import { at } from './columns.ts';
import { vitals } from './vitals.ts';

/** What one rollup has taken of its table; written in the transaction that stores what it made of it. */
export const rollupWatermark = vitals.table('rollup_watermark', {
  rollup: text('rollup').primaryKey(),
  /** The cluster that the transaction ids below are of: another one counts anew. */
  systemIdentifier: text('system_identifier').notNull(),
  /** Rows of transactions below it were taken, and none of those from it on. */
  nextXid: bigint('next_xid', { mode: 'number' }).notNull().default(0),
  /** What arrived before it was taken, all of it: an old row that arrives after it is late. */
  takenAt: at('taken_at'),
  /** The next transaction id there was at a moment: once all below it are taken, that moment is `taken_at`. */
  seenXid: bigint('seen_xid', { mode: 'number' }),
  seenAt: at('seen_at'),
  /**
   * Rows that were there before their transactions were noted (a closed set) are taken in the order of
   * their time: those before this moment were.
   */
  backfilledTo: at('backfilled_to'),
  backfillDone: boolean('backfill_done').notNull().default(false),
});
