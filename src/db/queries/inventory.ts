import { type SQL, sql } from 'drizzle-orm';
import type { InventoryRows, TableRows } from '../../core/inventory.ts';
import type { InventoryKind } from '../../core/outcome.ts';
import type { Database } from '../client.ts';

type Tx = Pick<Database, 'execute'>;

interface InventoryTable {
  table: SQL;
  key: SQL;
  /** The columns that a listing gives, with their types in the recordset. */
  columns: { name: string; type: string }[];
  /** Columns that the table wants and no listing gives. */
  extra: { names: SQL; values: SQL };
}

const none = { names: sql``, values: sql`` };

const TOOLS: InventoryTable = {
  table: sql`mcp_tool`,
  key: sql`name`,
  columns: [
    { name: 'name', type: 'text' },
    { name: 'description', type: 'text' },
    { name: 'input_schema', type: 'json' },
  ],
  extra: none,
};

const RESOURCES: InventoryTable = {
  table: sql`mcp_resource`,
  key: sql`uri`,
  columns: [
    { name: 'uri', type: 'text' },
    { name: 'name', type: 'text' },
    { name: 'description', type: 'text' },
    { name: 'mime_type', type: 'text' },
    { name: 'size', type: 'integer' },
    { name: 'annotations', type: 'json' },
  ],
  extra: none,
};

const PROMPTS: InventoryTable = {
  table: sql`mcp_prompt`,
  key: sql`name`,
  columns: [
    { name: 'name', type: 'text' },
    { name: 'description', type: 'text' },
    { name: 'arguments', type: 'json' },
  ],
  // A listing does not bring the template; what the gateway keeps there is never overwritten.
  extra: { names: sql`, template`, values: sql`, ''` },
};

/**
 * Makes the three inventory tables say what the server listed, in a statement for each two megabytes and
 * one more a table: new rows in, changed ones updated, returned ones active again, vanished ones inactive.
 * A row that did not change is not written; a family whose listing failed is left as it was.
 */
export async function storeInventory(
  tx: Tx,
  serverId: string,
  rows: InventoryRows,
  failed: ReadonlySet<InventoryKind>,
): Promise<void> {
  if (!failed.has('tools')) await storeRows(tx, serverId, TOOLS, rows.tools);
  if (!failed.has('resources') && !failed.has('resourceTemplates')) {
    await storeRows(tx, serverId, RESOURCES, rows.resources);
  }
  if (!failed.has('prompts')) await storeRows(tx, serverId, PROMPTS, rows.prompts);
}

const list = (parts: SQL[]): SQL => sql.join(parts, sql`, `);

async function storeRows(
  tx: Tx,
  serverId: string,
  shape: InventoryTable,
  { chunks, keys, gone }: TableRows,
): Promise<void> {
  const { table, key, columns, extra } = shape;
  const names = list(columns.map(({ name }) => sql`${sql.identifier(name)}`));
  const record = list(columns.map(({ name, type }) => sql`${sql.identifier(name)} ${sql.raw(type)}`));
  const updates = list(
    columns.map(({ name }) => sql`${sql.identifier(name)} = excluded.${sql.identifier(name)}`),
  );
  const comparable = ({ name, type }: { name: string; type: string }, row: SQL): SQL =>
    type === 'json' ? sql`${row}.${sql.identifier(name)}::jsonb` : sql`${row}.${sql.identifier(name)}`;
  const before = list(columns.map((column) => comparable(column, sql`t`)));
  const after = list(columns.map((column) => comparable(column, sql`excluded`)));

  for (const chunk of chunks) {
    await tx.execute(sql`
      INSERT INTO ${table} AS t (id, server_id, is_active, created_at, updated_at, ${names}${extra.names})
      SELECT gen_random_uuid(), ${serverId}, true, now(), now(), ${names}${extra.values}
      FROM json_to_recordset(${chunk}::json) AS r(${record})
      ON CONFLICT (server_id, ${key}) DO UPDATE SET ${updates}, is_active = true, updated_at = now()
      WHERE NOT coalesce(t.is_active, false) OR (${before}) IS DISTINCT FROM (${after})`);
  }
  if (keys === null && gone.length === 0) return;
  const isGone =
    keys === null
      ? sql`EXISTS (SELECT 1 FROM json_array_elements_text(${JSON.stringify(gone)}::json) AS r(k) WHERE r.k = t.${key})`
      : sql`NOT EXISTS (SELECT 1 FROM json_array_elements_text(${keys}::json) AS r(k) WHERE r.k = t.${key})`;
  await tx.execute(sql`
    UPDATE ${table} AS t SET is_active = false, updated_at = now()
    WHERE t.server_id = ${serverId} AND t.is_active AND ${isGone}`);
}
