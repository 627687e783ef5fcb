import { dayOf, type Period } from '../../core/storage/periods.ts';
import type { Session } from '../migrations/bookkeeping.ts';
import { inShortTransaction } from '../migrations/in-short-transaction.ts';
import { PARTITION_SCHEMA, type PartitionedTable } from './partitioned-tables.ts';
import { quoteName, quoteTime } from './quote.ts';
import { defaultName } from './read-partitions.ts';

/** `api_usage_p20261123`: the table and the day that its time begins on. */
export const nameOfPartition = (table: string, fromMs: number): string => `${table}_p${dayOf(fromMs)}`;

/**
 * Less than the second after which PostgreSQL looks for deadlocks: it is always we who give way, never a
 * writer that is told of one.
 */
export const SWAP_LOCKS = { lockTimeoutMs: 400, attempts: 60 } as const;

interface Made {
  name: string;
  /** Rows that were in the default partition. */
  moved: number;
}

/**
 * Makes the partition of a period, with the rows of that time that the default partition has taken: in one
 * transaction, so that no reader misses a row. Nobody is kept from writing while it is made and filled; writers
 * wait for the last moment, in which it is attached.
 */
export async function makePartition(session: Session, spec: PartitionedTable, period: Period): Promise<Made> {
  const { table, time } = spec;
  const name = nameOfPartition(table, period.fromMs);
  const [parent, made, rest] = [
    `public.${quoteName(table)}`,
    `${PARTITION_SCHEMA}.${quoteName(name)}`,
    `${PARTITION_SCHEMA}.${quoteName(defaultName(table))}`,
  ];
  const range = `${quoteName(time)} >= ${quoteTime(period.fromMs)} AND ${quoteName(time)} < ${quoteTime(period.toMs)}`;
  return inShortTransaction(session, { what: `the partition ${name}`, ...SWAP_LOCKS }, async () => {
    const facts = await readParent(session, table);
    await session.unsafe(
      `CREATE TABLE ${made} (LIKE ${parent} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING INDEXES)`,
    );
    // With it, PostgreSQL need not read what it attaches.
    await session.unsafe(`ALTER TABLE ${made} ADD CONSTRAINT partition_range CHECK (${range})`);
    const move = async (): Promise<number> => {
      const { count } = await session.unsafe(
        `WITH moved AS (DELETE FROM ${rest} WHERE ${range} RETURNING ${facts.columns})
         INSERT INTO ${made} (${facts.columns}) SELECT ${facts.columns} FROM moved`,
      );
      return count;
    };
    let moved = await move();
    for (const target of facts.targets)
      await session.unsafe(`LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`);
    // The table, and not its default partition alone: a row that is on its way there when the partition of its
    // time appears would be refused.
    await session.unsafe(`LOCK TABLE ${parent} IN SHARE ROW EXCLUSIVE MODE`);
    // What came while the others were being moved.
    moved += await move();
    await session.unsafe(
      `ALTER TABLE ${parent} ATTACH PARTITION ${made} FOR VALUES FROM (${quoteTime(period.fromMs)}) TO (${quoteTime(period.toMs)})`,
    );
    await session.unsafe(`ALTER TABLE ${made} DROP CONSTRAINT partition_range`);
    if (facts.owner !== null) await session.unsafe(`ALTER TABLE ${made} OWNER TO ${quoteName(facts.owner)}`);
    return { name, moved };
  });
}

interface ParentFacts {
  /** Quoted, with commas between them; generated ones are left out. */
  columns: string;
  /** The tables that its foreign keys point to. */
  targets: string[];
  /** null when it is the role that we are. */
  owner: string | null;
}

async function readParent(session: Session, table: string): Promise<ParentFacts> {
  const [row] = await session<ParentFacts[]>`
    SELECT (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
           ARRAY(SELECT DISTINCT k.confrelid::regclass::text FROM pg_constraint k
                  WHERE k.conrelid = c.oid AND k.contype = 'f' ORDER BY 1) AS targets,
           nullif(pg_get_userbyid(c.relowner), current_user) AS owner
      FROM pg_class c WHERE c.oid = ${`public.${quoteName(table)}`}::regclass`;
  if (!row) throw new Error(`there is no table ${table}`);
  return row;
}
