import { CommandFailed } from '../cli-io.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { jsonOption, parseInteger } from '../parse-options.ts';
import { parseSince } from '../parse-since.ts';
import { escapeText } from '../render/escape.ts';
import { renderHistory } from '../render/health-tables.ts';

/** mcp-vitals history: a server over time. */
export const addHistory: AddCommand = (program, context) => {
  program
    .command('history')
    .summary('show how a server was over time')
    .description(
      'Shows a server over a range in at most so many points, each with its checks, the share of them at which it was up, how fast it answered, and what was worst. Times without a check are left out.',
    )
    .argument('<server>', 'its id, or its name')
    .option('--since <time>', 'from when on: 30m, 12h, 90d before now, or an ISO time', '24h')
    .option('--points <number>', 'at most so many points', parseInteger(1, 10_000), 48)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals history search --since 90d --points 30
  mcp-vitals history search --since 6h --json`,
    )
    .action(async (server: string, options: { since: string; points: number; json?: true }) => {
      const toMs = context.now();
      const fromMs = parseSince(options.since, toMs);
      const result = await context.actions.readHistory(server, { fromMs, toMs, maxPoints: options.points });
      if (result === null) throw new CommandFailed(`no server has the id or name ${escapeText(server)}`);
      if (options.json) return printJson(context, result);
      context.io.out.write(renderHistory(result, context.style));
    });
};
