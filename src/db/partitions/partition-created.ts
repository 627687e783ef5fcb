import type { Sql } from 'postgres';
import { MigrationBlockedError } from '../errors.ts';
import { wasMadeHere } from '../migrations/bookkeeping.ts';
import type { Migration } from '../migrations/read-migrations.ts';
import { convertTable } from './convert-table.ts';
import { PARTITIONED_TABLES } from './partitioned-tables.ts';
import { readPartitions } from './read-partitions.ts';
import { withStorageLock } from './storage-lock.ts';

const WAIT_MS = 120_000;

/**
 * Partitions the tables of a database that our migrations made. One that a gateway made is left as it is: there,
 * somebody has to ask for it. Nothing to do is two queries.
 */
export async function partitionCreated(sql: Sql, baseline: Migration | undefined): Promise<void> {
  if (!baseline || !(await wasMadeHere(sql, baseline))) return;
  const states = await readPartitions(sql);
  if (!states.some(({ kind }) => kind === 'plain')) return;
  const done = await withStorageLock(sql, WAIT_MS, async (session) => {
    for (const spec of PARTITIONED_TABLES) await convertTable(session, spec, { nowMs: Date.now() });
  });
  if (done === null)
    throw new MigrationBlockedError('another process has been partitioning this database for two minutes');
}
