import { join } from 'node:path';
import type { Actions, AdoptResult, DbResult } from '../cli/actions.ts';
import { adoptDatabase, formatAdoption } from '../db/adopt.ts';
import { AdoptionRefusedError } from '../db/errors.ts';
import { generateMigration, introspectDatabase, openStudio } from '../db/kit/run-kit.ts';
import { migrateDatabase } from '../db/migrate.ts';
import { findLocks } from '../db/migrations/find-locks.ts';
import { readMigrations } from '../db/migrations/read-migrations.ts';
import { PARTITIONABLE, partitionTables } from '../db/partition.ts';
import { pushSchema } from '../db/push.ts';
import { resetDatabase } from '../db/reset.ts';
import { seedDatabase } from '../db/seed/seed-database.ts';
import { type ActionContext, withDatabaseUrl } from './context.ts';

type DatabaseActions = Pick<
  Actions,
  | 'dbGenerate'
  | 'dbMigrate'
  | 'dbPush'
  | 'dbStudio'
  | 'dbSeed'
  | 'dbReset'
  | 'dbResetAndSeed'
  | 'dbIntrospect'
  | 'dbAdopt'
  | 'dbPartition'
>;

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** What `mcp-vitals db …` does, on DATABASE_URL or on the embedded database. */
export function databaseActions(context: ActionContext): DatabaseActions {
  const folder = () => context.config().migrationsDir;
  const onDatabase = <Result>(work: (url: string) => Promise<Result>) => withDatabaseUrl(context, work);

  async function migrate(url: string): Promise<DbResult> {
    const { applied } = await migrateDatabase(url, folder());
    if (applied.length === 0) return { summary: 'the database is up to date' };
    return { summary: `applied ${count(applied.length, 'migration')}`, details: applied };
  }

  async function seed(url: string): Promise<DbResult> {
    await migrateDatabase(url, folder());
    const { inserted } = await seedDatabase(url);
    const rows = Object.values(inserted).reduce((sum, added) => sum + added, 0);
    return {
      summary:
        rows === 0
          ? 'the development data is there already'
          : `put ${count(rows, 'row')} into ${count(Object.keys(inserted).length, 'table')}`,
    };
  }

  async function reset(url: string, force: boolean): Promise<DbResult> {
    const { dropped, cutForeignKeys } = await resetDatabase(url, folder(), {
      force,
      nodeEnv: context.config().nodeEnv,
    });
    return {
      summary: `made ${count(dropped.length, 'table')} anew, empty`,
      ...(cutForeignKeys.length > 0
        ? { details: cutForeignKeys.map((key) => `a foreign key of another table had to go: ${key}`) }
        : {}),
    };
  }

  return {
    async dbGenerate({ name }) {
      await generateMigration(folder(), name === undefined ? [] : ['--name', name]);
      const newest = readMigrations(folder()).at(-1);
      return {
        summary: 'the migrations in drizzle/ are what the schema says',
        details: (newest ? findLocks(newest) : []).map(
          ({ rule, statement, advice }) => `${newest?.tag}: ${rule}: ${statement}: ${advice}`,
        ),
      };
    },
    dbMigrate: () => onDatabase(migrate),
    dbPush: () =>
      onDatabase(async (url) => {
        const { statements, leftAlone } = await pushSchema(url, folder());
        return {
          summary:
            statements.length === 0
              ? 'the database has what the schema says'
              : `ran ${count(statements.length, 'statement')}`,
          details: [...statements, ...leftAlone.map((text) => `left alone: ${text}`)],
        };
      }),
    dbStudio: ({ port }) =>
      onDatabase(async (url) => {
        await openStudio(url, folder(), context.stop, port === undefined ? [] : ['--port', String(port)]);
        return { summary: 'drizzle’s studio has ended' };
      }),
    dbSeed: () => onDatabase(seed),
    dbReset: ({ force }) => onDatabase((url) => reset(url, force)),
    dbResetAndSeed: ({ force }) =>
      onDatabase(async (url) => {
        const done = await reset(url, force);
        const seeded = await seed(url);
        return {
          summary: `${done.summary}; ${seeded.summary}`,
          ...(done.details ? { details: done.details } : {}),
        };
      }),
    dbIntrospect: () =>
      onDatabase(async (url) => {
        const into = join(context.config().dataDir, 'introspected');
        await introspectDatabase(url, folder(), into);
        return { summary: `the database as a Drizzle schema is in ${into}` };
      }),
    dbAdopt: () => onDatabase((url) => adopt(url, folder())),
    dbPartition: ({ table, dryRun }) =>
      onDatabase((url) => partition(url, table ?? 'all', dryRun, context.onProgress)),
  };
}

const OUTCOMES = {
  converted: 'is partitioned now',
  planned: 'would be partitioned so',
  already: 'is partitioned already',
  foreign: 'is left alone: somebody else partitioned it, or other tables inherit from it',
  missing: 'is not there',
} as const;

async function partition(
  url: string,
  table: string,
  dryRun: boolean,
  onProgress: (line: string) => void,
): Promise<DbResult> {
  if (table !== 'all' && !PARTITIONABLE.includes(table))
    throw new Error(
      `${table} is not one of the tables that grow with time: ${PARTITIONABLE.join(', ')}, or all`,
    );
  const statements: string[] = [];
  const conversions = await partitionTables(url, table === 'all' ? PARTITIONABLE : [table], {
    dryRun,
    onStatement(statement) {
      if (dryRun) statements.push(`${statement};`);
      else onProgress(statement.split('\n', 1)[0] ?? '');
    },
  });
  return {
    summary: conversions.map((done) => `${done.table} ${OUTCOMES[done.result]}`).join('; '),
    details: statements,
  };
}

async function adopt(url: string, migrationsDir: string): Promise<AdoptResult> {
  try {
    return describe(await adoptDatabase(url, migrationsDir));
  } catch (error) {
    if (!(error instanceof AdoptionRefusedError)) throw error;
    return { ...describe(error.report), summary: error.message };
  }
}

function describe(report: Awaited<ReturnType<typeof adoptDatabase>>): AdoptResult {
  return {
    summary: report.taken ? 'the gateway’s database was taken over' : 'the database was taken over before',
    details: formatAdoption(report),
    tables: report.tables.map(({ table, findings }) => ({
      table,
      differences: findings.map(({ text }) => text),
    })),
    blocking: report.blocking,
  };
}
