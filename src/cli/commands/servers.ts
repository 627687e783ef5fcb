import { Option } from 'commander';
import { VERDICTS, type Verdict } from '../../core/reasons.ts';
import { stripCredentials } from '../../logging/strip-credentials.ts';
import type { ServerFilter } from '../actions.ts';
import { CommandFailed } from '../cli-io.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { escapeText } from '../render/escape.ts';
import { renderServerDetail, renderServerList } from '../render/server-tables.ts';
import { addServersAdd } from './servers-add.ts';
import { addServersImport } from './servers-import.ts';
import { addServersMonitor } from './servers-monitor.ts';

/** An endpoint may hold a key in its query: it is registered so, and not shown so. */
const withoutCredentials = <Server extends { endpointUrl: string }>(server: Server): Server => ({
  ...server,
  endpointUrl: stripCredentials(server.endpointUrl),
});

const addList: AddCommand = (servers, context) => {
  servers
    .command('list')
    .summary('list the registered servers')
    .description('Lists the registered servers with their current verdicts.')
    .option('--tag <tag>', 'only those with this tag')
    .option('--tenant <id>', 'only those of this tenant')
    .addOption(new Option('--verdict <verdict>', 'only those with this verdict').choices(VERDICTS))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals servers list
  mcp-vitals servers list --verdict down --json`,
    )
    .action(async (options: { tag?: string; tenant?: string; verdict?: Verdict; json?: true }) => {
      const { tag, tenant, verdict, json } = options;
      const filter: ServerFilter = {
        ...(tag === undefined ? {} : { tag }),
        ...(tenant === undefined ? {} : { tenantId: tenant }),
        ...(verdict === undefined ? {} : { verdict }),
      };
      const found = (await context.actions.listServers(filter)).map(withoutCredentials);
      if (json) return printJson(context, found);
      context.io.out.write(
        found.length === 0 ? 'no servers\n' : renderServerList(found, context.style, context.now()),
      );
    });
};

const addShow: AddCommand = (servers, context) => {
  servers
    .command('show')
    .summary('show one server and its last checks')
    .description('Shows one server: what is registered, what it answered, and its last checks.')
    .argument('<id>', 'its id, or its name')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals servers show demo-everything-http')
    .action(async (id: string, { json }: { json?: true }) => {
      const server = await context.actions.showServer(id);
      if (server === null) throw new CommandFailed(`no server has the id or name ${escapeText(id)}`);
      const shown = withoutCredentials(server);
      if (json) return printJson(context, shown);
      context.io.out.write(renderServerDetail(shown, context.style, context.now()));
    });
};

const addRemove: AddCommand = (servers, context) => {
  servers
    .command('remove')
    .summary('remove servers and their history')
    .description('Removes servers from the registry, with their inventory and history.')
    .argument('<id...>', 'their ids')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals servers remove demo-everything-http demo-nobody-home')
    .action(async (ids: string[], { json }: { json?: true }) => {
      const result = await context.actions.removeServers([...new Set(ids)]);
      if (json) printJson(context, result);
      else for (const id of result.removed) context.io.out.write(`removed ${escapeText(id)}\n`);
      for (const id of result.unknown)
        context.io.err.write(`mcp-vitals: no server has the id ${escapeText(id)}\n`);
      context.exitWith(result.unknown.length > 0 ? 1 : 0);
    });
};

/** mcp-vitals servers: the registry. */
export const addServers: AddCommand = (program, context) => {
  const servers = program
    .command('servers')
    .summary('add, list, show, remove, import and set up servers')
    .description('The registry of servers, in the database that DATABASE_URL names or the embedded one.');
  for (const add of [addServersAdd, addList, addShow, addRemove, addServersImport, addServersMonitor])
    add(servers, context);
};
