import { createHash } from 'node:crypto';
import type { Session } from './bookkeeping.ts';
import { inShortTransaction } from './in-short-transaction.ts';

const NAME = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`;
const CONCURRENT_INDEX = new RegExp(
  String.raw`CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?(${NAME})\s+ON\s+((?:${NAME}\.)?${NAME})\s+([^;]*)`,
  'i',
);

interface ConcurrentIndex {
  unique: string;
  /** As SQL takes it, without a schema. */
  name: string;
  table: string;
  /** USING, the columns and what follows. */
  rest: string;
}

function parse(statement: string): ConcurrentIndex | null {
  const [, unique = '', name, table, rest] = CONCURRENT_INDEX.exec(statement) ?? [];
  return name && table && rest ? { unique, name, table, rest } : null;
}

const plainName = (quoted: string): string =>
  quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted.toLowerCase();

/** An index that an interrupted CREATE INDEX CONCURRENTLY left behind is invalid, and in the way. */
async function dropBroken(session: Session, schema: string, name: string): Promise<void> {
  const broken = await session`
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS index
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = ${name} AND n.nspname = ${schema} AND NOT i.indisvalid AND c.relkind = 'i'`;
  for (const { index } of broken) await session.unsafe(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
}

/** The partitions of an index's table that have no part of that index yet. */
async function findPartitionsWithout(session: Session, table: string, index: string) {
  return session<{ schema: string; name: string }[]>`
    SELECT n.nspname AS schema, c.relname AS name
      FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE h.inhparent = ${table}::regclass AND NOT EXISTS (
       SELECT 1 FROM pg_index i JOIN pg_inherits x ON x.inhrelid = i.indexrelid
        WHERE i.indrelid = c.oid AND x.inhparent = ${index}::regclass)
     ORDER BY 2`;
}

/** PostgreSQL cuts names at 63 bytes; the digest tells those apart that begin alike. */
function nameInPartition(partition: string, index: string): string {
  const digest = createHash('sha256').update(index).digest('hex').slice(0, 8);
  return `${partition.slice(0, 50)}_${digest}`;
}

/**
 * PostgreSQL makes no index concurrently on a partitioned table: it is made as an empty frame, then
 * concurrently on one partition after the other, and is valid when all of them are in it.
 */
async function createOnPartitions(
  session: Session,
  schema: string,
  { unique, name, table, rest }: ConcurrentIndex,
): Promise<void> {
  const whole = `"${schema}".${name}`;
  const short = { what: `index ${name}`, lockTimeoutMs: 400, attempts: 60 };
  const [frame] = await session`SELECT to_regclass(${whole}) AS there`;
  if (frame?.there === null)
    await inShortTransaction(session, short, () =>
      session.unsafe(`CREATE ${unique}INDEX ${name} ON ONLY ${table} ${rest}`),
    );
  for (const partition of await findPartitionsWithout(session, table, whole)) {
    const part = nameInPartition(partition.name, plainName(name));
    await dropBroken(session, partition.schema, part);
    await session.unsafe(
      `CREATE ${unique}INDEX CONCURRENTLY IF NOT EXISTS "${part}" ON "${partition.schema}"."${partition.name}" ${rest}`,
    );
    await inShortTransaction(session, short, () =>
      session.unsafe(`ALTER INDEX ${whole} ATTACH PARTITION "${partition.schema}"."${part}"`),
    );
  }
}

/**
 * Runs a statement outside of a transaction. CREATE INDEX CONCURRENTLY may be repeated after it was
 * interrupted, and works on a partitioned table as well.
 */
export async function runAlone(session: Session, statement: string): Promise<void> {
  const index = parse(statement);
  if (!index) {
    await session.unsafe(statement);
    return;
  }
  const [table] = await session<{ schema: string; kind: string }[]>`
    SELECT n.nspname AS schema, c.relkind AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass(${index.table})`;
  if (table?.kind === 'p') return createOnPartitions(session, table.schema, index);
  if (table) await dropBroken(session, table.schema, plainName(index.name));
  await session.unsafe(statement);
}
