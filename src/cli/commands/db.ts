import type { DbResult } from '../actions.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { jsonOption, parseInteger } from '../parse-options.ts';
import { escapeText } from '../render/escape.ts';
import { renderTable } from '../render/table.ts';

async function show(context: CommandContext, running: Promise<DbResult>): Promise<void> {
  const { summary, details = [] } = await running;
  for (const line of [summary, ...details]) context.io.out.write(`${escapeText(line)}\n`);
}

const FORCE = 'also where NODE_ENV is production or the database is not on this machine';

const addSchema: AddCommand = (db, context) => {
  const { actions } = context;
  db.command('generate')
    .description('Writes a migration for what changed in src/db/schema.')
    .option('--name <name>', 'the name of the migration')
    .addHelpText('after', '\nExample:\n  mcp-vitals db generate --name add_server_notes')
    .action((options: { name?: string }) => show(context, actions.dbGenerate(options)));
  db.command('migrate')
    .description('Applies the migrations that are not applied yet.')
    .addHelpText('after', '\nExample:\n  mcp-vitals db migrate')
    .action(() => show(context, actions.dbMigrate()));
  db.command('push')
    .description('Brings a development database to src/db/schema without a migration.')
    .option('--force', 'do not ask before data would be lost', false)
    .addHelpText('after', '\nExample:\n  mcp-vitals db push')
    .action((options: { force: boolean }) => show(context, actions.dbPush(options)));
  db.command('studio')
    .description('Opens drizzle’s browser for the database; runs until it is stopped with Ctrl-C.')
    .option('--port <port>', 'the port it listens on', parseInteger(1, 65_535))
    .addHelpText('after', '\nExample:\n  mcp-vitals db studio --port 4983')
    .action((options: { port?: number }) => show(context, actions.dbStudio(options)));
  db.command('introspect')
    .description('Writes the schema that the database has, for comparison with ours.')
    .addHelpText('after', '\nExample:\n  mcp-vitals db introspect')
    .action(() => show(context, actions.dbIntrospect()));
};

const addData: AddCommand = (db, context) => {
  const { actions } = context;
  db.command('seed')
    .description('Fills every module with development data; may be run again.')
    .addHelpText('after', '\nExample:\n  mcp-vitals db seed')
    .action(() => show(context, actions.dbSeed()));
  db.command('reset')
    .description('Empties the database and applies the migrations again. Everything in it is lost.')
    .option('--force', FORCE, false)
    .addHelpText('after', '\nExample:\n  mcp-vitals db reset')
    .action((options: { force: boolean }) => show(context, actions.dbReset(options)));
  db.command('reset-and-seed')
    .description('db reset, then db seed. Everything in the database is lost.')
    .option('--force', FORCE, false)
    .addHelpText('after', '\nExample:\n  mcp-vitals db reset-and-seed')
    .action((options: { force: boolean }) => show(context, actions.dbResetAndSeed(options)));
};

const addAdopt: AddCommand = (db, context) => {
  const { actions, io, style } = context;
  db.command('adopt')
    .summary('take over a database that the gateway made')
    .description(
      'Checks a database that the gateway itself made against the contract, tells table by table where it differs, and takes it over. Nothing of the gateway’s is dropped, renamed, retyped or rewritten.\nExit code 1 when the worker cannot run on it.',
    )
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://… mcp-vitals db adopt')
    .action(async ({ json }: { json?: true }) => {
      const result = await actions.dbAdopt();
      if (json) printJson(context, result);
      else {
        const rows = result.tables.flatMap(({ table, differences }) =>
          (differences.length === 0 ? ['as the contract has it'] : differences).map((difference, index) => ({
            table: index === 0 ? table : '',
            difference,
          })),
        );
        const table = renderTable(
          [
            { title: 'TABLE', value: (row) => row.table },
            { title: 'DIFFERENCE', value: ({ difference }) => difference },
          ],
          rows,
          { ...style, columns: Number.POSITIVE_INFINITY },
        );
        io.out.write(`${table}\n`);
        await show(context, Promise.resolve(result));
      }
      for (const reason of result.blocking) io.err.write(`mcp-vitals: ${escapeText(reason)}\n`);
      context.exitWith(result.blocking.length > 0 ? 1 : 0);
    });
};

const addPartition: AddCommand = (db, context) => {
  db.command('partition')
    .summary('turn a live table that grows with time into a partitioned one')
    .description(
      'Partitions a live table by time: api_usage, mcp_server_health_check, audit_log, rate_limit_violation, feature_flag_evaluation, or all of them. Writers wait for the swap alone, some hundredths of a second. It may be ended at any moment, and run again. Databases that mcp-vitals made need none of this.',
    )
    .argument('<table>', 'the table, or all')
    .option('--dry-run', 'print the SQL and change nothing', false)
    .addHelpText('after', '\nExample:\n  mcp-vitals db partition api_usage --dry-run')
    .action((table: string, { dryRun }: { dryRun: boolean }) =>
      show(context, context.actions.dbPartition({ table, dryRun })),
    );
};

/** mcp-vitals db: the database. */
export const addDb: AddCommand = (program, context) => {
  const db = program
    .command('db')
    .summary('migrate, seed, reset, inspect and adopt the database')
    .description('The database that DATABASE_URL names, or the embedded one.');
  for (const add of [addSchema, addData, addAdopt, addPartition]) add(db, context);
};
