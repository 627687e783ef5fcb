import { getTableName } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { compareTable, type Difference } from './catalogue/compare-table.ts';
import { describeDifference } from './catalogue/describe-difference.ts';
import { expectTable } from './catalogue/expect-tables.ts';
import { readTables } from './catalogue/read-tables.ts';
import { loadKit, type SnapshotTable } from './kit/load-kit.ts';
import { migrateDatabase, withClient } from './migrate.ts';
import type { Session } from './migrations/bookkeeping.ts';
import { runAlone } from './migrations/concurrent-index.ts';
import { withMigrationLock } from './migrations/migration-lock.ts';
import { OUR_TABLES } from './own-tables.ts';
import * as schema from './schema/index.ts';

export interface PushPlan {
  /** What makes the database have what the schema says, in order. */
  statements: string[];
  /** What the database has and the schema does not, or otherwise: it stays as it is. */
  leftAlone: string[];
}

const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;

function unmakeColumn(
  table: SnapshotTable,
  difference: Extract<Difference, { kind: 'type' | 'nullability' | 'default' }>,
): boolean {
  const column = table.columns[difference.column];
  if (!column) return false;
  if (difference.kind === 'type') column.type = difference.actual;
  else if (difference.kind === 'nullability') column.notNull = difference.expected === 'null';
  else column.default = difference.actual === null ? undefined : literal(difference.actual);
  return true;
}

/** Takes what the database lacks out of the snapshot's table; false for a difference that is left alone. */
function unmake(table: SnapshotTable, difference: Difference, isGateways: boolean): boolean {
  switch (difference.kind) {
    case 'missing table':
      return true; // the whole table is taken out
    case 'missing column':
      return delete table.columns[difference.column];
    case 'missing index':
      return delete table.indexes[difference.name];
    case 'missing unique':
      for (const [name, constraint] of Object.entries(table.uniqueConstraints))
        if (constraint.columns.join() === difference.columns.join()) delete table.uniqueConstraints[name];
      return true;
    case 'missing foreign key':
      for (const [name, key] of Object.entries(table.foreignKeys))
        if (key.columnsFrom.join() === difference.key.columns.join()) delete table.foreignKeys[name];
      return true;
    case 'type':
    case 'nullability':
    case 'default':
      // Gateways have their variants of the contract's columns, and those are theirs to change.
      return !isGateways && unmakeColumn(table, difference);
    default:
      return false;
  }
}

/**
 * drizzle-kit's own push makes a database equal to the schema: it drops the tables, columns and
 * indexes that it does not know, a newer gateway's among them. Here it is asked another question: from
 * our schema without what the database lacks, to our schema. So it can only add and alter.
 */
async function planPush(session: Session): Promise<PushPlan> {
  const kit = await loadKit();
  const wanted = kit.generateDrizzleJson(schema);
  const present = structuredClone(wanted);
  const actual = await readTables(session, ['public', 'vitals']);
  const leftAlone: string[] = [];
  for (const table of OUR_TABLES) {
    const name = getTableName(table);
    const ownSchema = getTableConfig(table).schema;
    const key = `${ownSchema ?? 'public'}.${name}`;
    const snapshot: SnapshotTable | undefined = present.tables[key];
    if (!snapshot) continue;
    for (const difference of compareTable(expectTable(table), actual.get(key))) {
      if (difference.kind === 'missing table') delete present.tables[key];
      if (!unmake(snapshot, difference, ownSchema === undefined))
        leftAlone.push(`${name}: ${describeDifference(difference)}`);
    }
  }
  return { statements: await kit.generateMigration(present, wanted), leftAlone };
}

export interface PushOptions {
  /** Asked before anything is changed; without it the plan is carried out. */
  confirm?: (plan: PushPlan) => Promise<boolean>;
}

/** CREATE INDEX CONCURRENTLY runs after the rest, which is one transaction. */
async function carryOut(session: Session, statements: string[]): Promise<void> {
  const alone = statements.filter((statement) => /\bCONCURRENTLY\b/.test(statement));
  const together = statements.filter((statement) => !alone.includes(statement));
  await session`BEGIN`;
  try {
    for (const statement of together) await session.unsafe(statement);
    await session`COMMIT`;
  } catch (error) {
    await session`ROLLBACK`;
    throw error;
  }
  for (const statement of alone) await runAlone(session, statement);
}

/**
 * Brings a development database to the schema as it is in the source: the migrations first, then what
 * they do not have yet. Nothing is ever dropped; the plan that was carried out (or declined, then
 * `pushed` is false) is returned.
 */
export async function pushSchema(
  url: string,
  migrationsDir: string,
  options: PushOptions = {},
): Promise<PushPlan & { pushed: boolean }> {
  await migrateDatabase(url, migrationsDir);
  return withClient(url, (sql) =>
    withMigrationLock(sql, async (session) => {
      const plan = await planPush(session);
      if (plan.statements.length === 0) return { ...plan, pushed: true };
      if (options.confirm && !(await options.confirm(plan))) return { ...plan, pushed: false };
      await carryOut(session, plan.statements);
      return { ...plan, pushed: true };
    }),
  );
}
