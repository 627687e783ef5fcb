import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';

/** One server's stored credentials, as text: what a gateway wrote may be no JSON that PostgreSQL can take apart. */
export interface StoredCredentials {
  id: string;
  tenantId: string | null;
  authConfig: string;
}

export interface CredentialsSelection {
  /** undefined: every server. */
  ids?: readonly string[];
  /** The last id of the page before. */
  afterId: string;
  limit: number;
}

/** Whether there is anything in it; json_typeof and -> would refuse a value with a NUL in it. */
const IS_FILLED = sql`(auth_config IS NOT NULL AND auth_config::text !~ '^\\s*(null|\\{\\s*\\})\\s*$')`;
const IS_SEALED = sql`auth_config::text ~ '^\\s*\\{\\s*"sealed"\\s*:'`;

/** A page of the servers that have credentials, by id. */
export async function readCredentials(
  db: Database,
  { ids, afterId, limit }: CredentialsSelection,
): Promise<StoredCredentials[]> {
  const among =
    ids === undefined
      ? sql`true`
      : sql`id IN (SELECT jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`;
  return await db.execute<StoredCredentials & Record<string, unknown>>(sql`
    SELECT id, tenant_id AS "tenantId", auth_config::text AS "authConfig" FROM mcp_server
    WHERE ${IS_FILLED} AND id > ${afterId} AND ${among} ORDER BY id LIMIT ${limit}`);
}

/**
 * Writes new values over the ones that were read, and gives the ids of those that went in: a row that was
 * changed in between is left as it is.
 */
export async function replaceCredentials(
  db: Database,
  changes: readonly { id: string; before: string; after: string }[],
): Promise<string[]> {
  if (changes.length === 0) return [];
  const rows = await db.execute<{ id: string }>(sql`
    UPDATE mcp_server m SET auth_config = r.after::json
    FROM json_to_recordset(${JSON.stringify(changes)}::json) AS r(id text, before text, after text)
    WHERE m.id = r.id AND m.auth_config::text = r.before
    RETURNING m.id`);
  return rows.map(({ id }) => id);
}

/** How many servers have their credentials sealed, and how many have them in plain text. */
export async function countCredentials(db: Database): Promise<{ sealed: number; plain: number }> {
  const [row] = await db.execute<{ sealed: number; plain: number }>(sql`
    SELECT count(*) FILTER (WHERE ${IS_SEALED})::int AS sealed, count(*) FILTER (WHERE NOT ${IS_SEALED})::int AS plain
    FROM mcp_server WHERE ${IS_FILLED}`);
  return row ?? { sealed: 0, plain: 0 };
}
