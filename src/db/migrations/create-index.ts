/** Runs one statement outside of a transaction. */
export type Run = (statement: string) => Promise<readonly Record<string, unknown>[]>;

export interface IndexWanted {
  name: string;
  /** Quoted where it has to be. */
  table: string;
  /** What stands behind the table's name: `USING btree (a, b)`. */
  definition: string;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** PostgreSQL cuts names at so many bytes. */
const MAX_NAME = 63;

const STATEMENT =
  /^\s*CREATE\s+INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+"?([\w$]+)"?\s+ON\s+((?:"?[\w$]+"?\.)?"?[\w$]+"?)\s+(.+?);?\s*$/is;

/** What a statement of a migration asks for; null when it is no CREATE INDEX CONCURRENTLY IF NOT EXISTS. */
export function parseCreateIndex(statement: string): IndexWanted | null {
  const [, name, table, definition] = STATEMENT.exec(statement.replace(/^\s*--.*$/gm, '')) ?? [];
  return name && table && definition ? { name, table, definition } : null;
}

/** An index that an interrupted CREATE INDEX CONCURRENTLY left behind is invalid, and in the way. */
async function dropBroken(run: Run, name: string, schema: string): Promise<void> {
  const broken = await run(`
    SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ${literal(name)} AND n.nspname = ${literal(schema)} AND c.relkind = 'i' AND NOT i.indisvalid`);
  if (broken.length > 0) await run(`DROP INDEX CONCURRENTLY IF EXISTS ${quote(schema)}.${quote(name)}`);
}

/**
 * Makes an index without stopping who writes, unless it is there. CONCURRENTLY is refused on a table that is
 * partitioned: there each partition gets its own, and the table one that they are attached to.
 */
export async function createIndex(run: Run, { name, table, definition }: IndexWanted): Promise<void> {
  const parts = await run(`
    SELECT n.nspname AS schema, c.relname AS name, t.isleaf AS leaf, t.level = 0 AS top
    FROM pg_partition_tree(to_regclass(${literal(table)})) t
    JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY t.level`);
  const [top] = parts;
  if (!top || top.leaf) {
    const [place] = await run(`
      SELECT relnamespace::regnamespace::text AS schema FROM pg_class WHERE oid = to_regclass(${literal(table)})`);
    await dropBroken(run, name, String(place?.schema ?? 'public'));
    await run(`CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quote(name)} ON ${table} ${definition}`);
    return;
  }
  const parent = `${quote(String(top.schema))}.${quote(name)}`;
  await run(`CREATE INDEX IF NOT EXISTS ${quote(name)} ON ONLY ${table} ${definition}`);
  for (const part of parts) {
    if (!part.leaf) continue;
    const [attached] = await run(`
      SELECT 1 FROM pg_inherits h JOIN pg_index i ON i.indexrelid = h.inhrelid
      WHERE h.inhparent = to_regclass(${literal(parent)})
        AND i.indrelid = to_regclass(${literal(`${quote(String(part.schema))}.${quote(String(part.name))}`)})`);
    if (attached) continue;
    const own = `${String(part.name).slice(0, MAX_NAME - name.length - 1)}_${name}`;
    await dropBroken(run, own, String(part.schema));
    const place = `${quote(String(part.schema))}.${quote(String(part.name))}`;
    await run(`CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quote(own)} ON ${place} ${definition}`);
    await run(`ALTER INDEX ${parent} ATTACH PARTITION ${quote(String(part.schema))}.${quote(own)}`);
  }
}
