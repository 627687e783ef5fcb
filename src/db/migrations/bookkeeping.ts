import type { ReservedSql, Sql } from 'postgres';
import type { Migration } from './read-migrations.ts';

/** Either a pool or one session of it. */
export type Session = Sql | ReservedSql;

/**
 * Our own record of what was applied, in drizzle's format and in our schema: the gateway keeps its
 * record in `drizzle.__drizzle_migrations`, and neither may take the other's rows for its own.
 */
export async function readApplied(sql: Session): Promise<{ hash: string; when: number }[] | undefined> {
  const [table] = await sql`SELECT to_regclass('vitals.__migrations') AS name`;
  if (table?.name === null) return undefined;
  const rows = await sql<
    { hash: string; created_at: string }[]
  >`SELECT hash, created_at FROM vitals.__migrations`;
  return rows.map(({ hash, created_at }) => ({ hash, when: Number(created_at) }));
}

export async function createBookkeeping(sql: Session): Promise<void> {
  await sql`CREATE SCHEMA IF NOT EXISTS vitals`;
  await sql`CREATE TABLE IF NOT EXISTS vitals.__migrations
    (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`;
  await sql`ALTER TABLE vitals.__migrations ADD COLUMN IF NOT EXISTS ran boolean`;
}

/** `ran`: its statements ran here; false where it was only marked as applied, for a gateway had made it all. */
export async function recordMigration(
  sql: Session,
  { hash, when }: Migration,
  { ran }: { ran: boolean },
): Promise<void> {
  await sql`INSERT INTO vitals.__migrations (hash, created_at, ran) VALUES (${hash}, ${when}, ${ran})`;
}

/** Whether the gateway's tables were made by our baseline, and not by the gateway. */
export async function wasMadeHere(
  sql: Session,
  baseline: Pick<Migration, 'hash' | 'when'>,
): Promise<boolean> {
  const [row] = await sql`
    SELECT 1 FROM vitals.__migrations WHERE (hash = ${baseline.hash} OR created_at = ${baseline.when}) AND ran`;
  return row !== undefined;
}
