import { CommandFailed, UsageError } from '../cli-io.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { parseSince } from '../parse-since.ts';
import { escapeText } from '../render/escape.ts';
import { renderUptime } from '../render/health-tables.ts';

/** mcp-vitals uptime: how servers were over a range. */
export const addUptime: AddCommand = (program, context) => {
  program
    .command('uptime')
    .summary('show the uptime of a server, or of all')
    .description(
      'Shows of a server, or of all, the share of checks at which it was up, its outages, how fast it answered, and what was worst. Checks that say nothing of the server (unknown, waking) do not count.',
    )
    .argument('[server]', 'its id, or its name')
    .option('--all', 'all servers')
    .option('--since <time>', 'from when on: 30m, 12h, 90d before now, or an ISO time', '30d')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals uptime search --since 90d
  mcp-vitals uptime --all --json`,
    )
    .action(async (server: string | undefined, options: { all?: true; since: string; json?: true }) => {
      if ((server === undefined) !== (options.all === true))
        throw new UsageError('say either a server or --all');
      const toMs = context.now();
      const fromMs = parseSince(options.since, toMs);
      const result = await context.actions.readUptime(server ?? null, { fromMs, toMs });
      if (result === null)
        throw new CommandFailed(`no server has the id or name ${escapeText(server ?? '')}`);
      if (options.json) return printJson(context, result);
      context.io.out.write(renderUptime(result, context.style));
    });
};
