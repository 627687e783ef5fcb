import { CommandFailed } from '../cli-io.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { renderTable } from '../render/table.ts';

/** mcp-vitals demo: the demo fleet alone, to be probed by hand. */
export const addDemo: AddCommand = (program, context) => {
  const { actions, io, style, progress } = context;
  program
    .command('demo')
    .summary('run the demo servers alone')
    .description(
      'Starts the demo fleet, real MCP servers of every kind on free loopback ports, and shows where they are. Runs until it is stopped with Ctrl-C. Needs no database.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals demo
  mcp-vitals demo --json`,
    )
    .action(async ({ json }: { json?: true }) => {
      let missing: string[] = [];
      await actions.runDemo({
        report: {
          progress: (state) => progress.show('starting the demo fleet', state),
          started(servers) {
            progress.clear();
            if (json) return printJson(context, servers);
            const table = renderTable(
              [
                { title: 'ID', value: ({ id }) => id },
                {
                  title: 'EXPECTED',
                  value: ({ expected }) => expected,
                  paint: (cell, { expected }) => style.verdict(expected, cell),
                },
                { title: 'TRANSPORT', value: ({ transportType }) => transportType },
                { title: 'ENDPOINT', value: ({ endpointUrl }) => endpointUrl },
              ],
              servers,
              { ...style, columns: Number.POSITIVE_INFINITY },
            );
            io.out.write(`${table}\nCtrl-C ends them.\n`);
          },
          missing(packages) {
            missing = packages;
          },
        },
      });
      if (missing.length > 0)
        throw new CommandFailed(
          `the demo fleet needs packages that are not installed: ${missing.join(', ')} (npm ci installs them)`,
        );
    });
};
