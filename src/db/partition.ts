import { MigrationBlockedError } from './errors.ts';
import { withClient } from './migrate.ts';
import { type Conversion, type ConvertOptions, convertTable } from './partitions/convert-table.ts';
import { keepPartitions } from './partitions/keep-partitions.ts';
import { PARTITIONED_TABLES } from './partitions/partitioned-tables.ts';
import { withStorageLock } from './partitions/storage-lock.ts';

/** The tables that `partitionTables` knows. */
export const PARTITIONABLE = PARTITIONED_TABLES.map(({ table }) => table);

const WAIT_MS = 5_000;

/**
 * Turns tables of a live database into partitioned ones, and makes the partitions of the time ahead. May be
 * ended at any moment, and run again. MigrationBlockedError while another process is at it, or a lock cannot
 * be had; PartitioningRefusedError where something of a table would be lost.
 */
export async function partitionTables(
  url: string,
  tables: readonly string[],
  options: Omit<ConvertOptions, 'nowMs'> = {},
): Promise<Conversion[]> {
  const nowMs = Date.now();
  const done = await withClient(url, (sql) =>
    withStorageLock(sql, WAIT_MS, async (session) => {
      const conversions: Conversion[] = [];
      for (const spec of PARTITIONED_TABLES.filter(({ table }) => tables.includes(table)))
        conversions.push(await convertTable(session, spec, { ...options, nowMs }));
      if (!options.dryRun) await keepPartitions(session, nowMs);
      return conversions;
    }),
  );
  if (done === null)
    throw new MigrationBlockedError(
      'another process is at work on the tables of this database: try again later',
    );
  return done.result;
}
