import { sql } from 'drizzle-orm';
import type { Database } from '../../client.ts';

export const USAGE_ROLLUP = 'usage';
export type Session = Pick<Database, 'execute'>;

/** Statements one by one, so that each is planned for what the one before has made. */
export async function runAll(tx: Session, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await tx.execute(sql.raw(statement));
}

/**
 * What the statements of a rollup rely on; for the rest of the transaction. Two slices are worked on at once:
 * workers beside them cost more than they save, since calls sum up to many groups.
 */
export const prepareSession = (tx: Session): Promise<unknown> =>
  tx.execute(sql`SELECT set_config('TimeZone', 'UTC', true), set_config('work_mem', '128MB', true),
    set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true), set_config('default_statistics_target', '25', true), set_config('idle_in_transaction_session_timeout', '60s', true)`);
