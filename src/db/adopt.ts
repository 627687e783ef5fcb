import { getTableName } from 'drizzle-orm';
import type { Sql } from 'postgres';
import { judgeDifference } from './adoption/judge-difference.ts';
import type { AdoptionReport } from './adoption/report.ts';
import { compareTable } from './catalogue/compare-table.ts';
import { expectTable } from './catalogue/expect-tables.ts';
import { readTables } from './catalogue/read-tables.ts';
import { AdoptionRefusedError } from './errors.ts';
import { applyPending, markBaseline, withClient } from './migrate.ts';
import { readApplied, type Session } from './migrations/bookkeeping.ts';
import { withMigrationLock } from './migrations/migration-lock.ts';
import { readMigrations } from './migrations/read-migrations.ts';
import { CONTRACT_TABLES } from './own-tables.ts';

async function countGatewayMigrations(session: Session): Promise<number | null> {
  const [table] = await session`SELECT to_regclass('drizzle.__drizzle_migrations') AS name`;
  if (table?.name === null) return null;
  const [row] = await session<
    { count: number }[]
  >`SELECT count(*)::int AS count FROM drizzle.__drizzle_migrations`;
  return row?.count ?? 0;
}

/** Compares a database with the contract; reads the catalogue and changes nothing. */
async function inspectForAdoption(session: Session): Promise<AdoptionReport> {
  const actual = await readTables(session, ['public']);
  const tables = CONTRACT_TABLES.map((table) => {
    const name = getTableName(table);
    const found = actual.get(`public.${name}`);
    const differences = compareTable(expectTable(table), found);
    return {
      table: name,
      present: found !== undefined,
      findings: differences.map((difference) => judgeDifference(name, difference)),
    };
  }).sort((a, b) => a.table.localeCompare(b.table));
  const ours = new Set(tables.map(({ table }) => table));
  return {
    tables,
    extraTables: [...actual.values()].map(({ name }) => name).filter((name) => !ours.has(name)),
    gatewayMigrations: await countGatewayMigrations(session),
    blocking: tables.flatMap(({ table, findings }) =>
      findings.filter(({ severity }) => severity === 'blocking').map(({ text }) => `${table}: ${text}`),
    ),
    taken: false,
    applied: [],
  };
}

/**
 * Takes over a database that the gateway made: compares it with the contract, marks our baseline as
 * applied, and applies the migrations after it. Nothing of the gateway's is dropped, renamed, retyped
 * or rewritten. AdoptionRefusedError, with the report, when the worker could not run on it.
 */
export async function adoptDatabase(target: string | Sql, migrationsDir: string): Promise<AdoptionReport> {
  const migrations = readMigrations(migrationsDir);
  return withClient(target, (sql) =>
    withMigrationLock(sql, async (session) => {
      const report = await inspectForAdoption(session);
      if (!report.tables.some(({ present }) => present))
        throw new AdoptionRefusedError(
          'there is nothing to adopt: none of the gateway’s tables is here. Run: mcp-vitals db migrate',
          report,
        );
      if (report.blocking.length > 0)
        throw new AdoptionRefusedError(
          `the worker could not run on this database, so nothing was changed: ${report.blocking.join('; ')}`,
          report,
        );
      const known = (await readApplied(session))?.length ?? 0;
      await markBaseline(session, migrations);
      const { applied } = await applyPending(session, migrations);
      return { ...report, taken: known === 0, applied };
    }),
  );
}

const MARK = { blocking: '✗', known: '·', difference: '≠', extra: '+' } as const;

/** The report as lines for a terminal, table by table where it differs. */
export function formatAdoption(report: AdoptionReport): string[] {
  const different = report.tables.filter(({ findings }) => findings.length > 0);
  const lines = [
    `${report.tables.length - different.length} of ${report.tables.length} tables are as the contract has them`,
  ];
  for (const { table, findings } of different) {
    lines.push(`${table}`);
    for (const { severity, text } of findings) lines.push(`  ${MARK[severity]} ${text}`);
  }
  if (report.extraTables.length > 0) lines.push(`not ours, left alone: ${report.extraTables.join(', ')}`);
  if (report.gatewayMigrations !== null)
    lines.push(`the gateway’s own record of ${report.gatewayMigrations} migrations was left alone`);
  if (report.blocking.length > 0) lines.push('not taken over: see the lines marked ✗');
  else if (report.taken) lines.push('taken over: the baseline is marked as applied');
  for (const tag of report.applied) lines.push(`applied ${tag}`);
  return lines;
}
