import { sql } from 'drizzle-orm';
import type { Change, Grade } from '../../core/drift/change.ts';
import type { ServerIdentity } from '../../core/drift/rules/server-renamed.ts';
import type { Database } from '../client.ts';

type Tx = Pick<Database, 'execute'>;

export interface ChangeRow extends Record<string, unknown> {
  hash: string;
  previousHash: string | null;
  identity: ServerIdentity;
  changes: Change[];
  counts: Record<Grade, number>;
  grade: Grade | null;
  tokens: number;
  previousTokens: number | null;
  atMs: number;
}

const COLUMNS = sql`snapshot_hash AS hash, previous_hash AS "previousHash", identity, changes, counts, grade, tokens,
  previous_tokens AS "previousTokens", (extract(epoch FROM changed_at) * 1000)::float8 AS "atMs"`;

/** A server's changes since a time, the latest first. */
export async function readTimeline(db: Tx, serverId: string, sinceMs: number): Promise<ChangeRow[]> {
  const rows = await db.execute<ChangeRow>(sql`
    SELECT ${COLUMNS} FROM vitals.inventory_change
    WHERE server_id = ${serverId} AND changed_at >= to_timestamp(${sinceMs}::float8 / 1000)
    ORDER BY id DESC`);
  return [...rows];
}

/** What the server's inventory was at a time; null when nothing was known yet. */
export async function readChangeAt(db: Tx, serverId: string, atMs: number): Promise<ChangeRow | null> {
  const [row] = await db.execute<ChangeRow>(sql`
    SELECT ${COLUMNS} FROM vitals.inventory_change
    WHERE server_id = ${serverId} AND changed_at <= to_timestamp(${atMs}::float8 / 1000)
    ORDER BY id DESC LIMIT 1`);
  return row ?? null;
}

/** The latest change into each snapshot of the server whose hash begins so: two are enough to be ambiguous. */
export async function readChangesByHash(db: Tx, serverId: string, prefix: string): Promise<ChangeRow[]> {
  const rows = await db.execute<ChangeRow>(sql`
    SELECT ${COLUMNS} FROM vitals.inventory_change WHERE id IN (
      SELECT max(id) FROM vitals.inventory_change
      WHERE server_id = ${serverId} AND (starts_with(snapshot_hash, ${prefix})
        OR starts_with(split_part(snapshot_hash, ':', 2), ${prefix}))
      GROUP BY snapshot_hash LIMIT 2)`);
  return [...rows];
}
