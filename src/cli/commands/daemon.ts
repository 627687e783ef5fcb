import type { DaemonReport } from '../actions.ts';
import type { AddCommand, CommandContext } from '../command-context.ts';
import { escapeText } from '../render/escape.ts';
import { renderVerdicts } from '../render/verdict-table.ts';

function createReport({ io, style, progress }: CommandContext): DaemonReport {
  const print = (text: string) => {
    progress.clear();
    io.out.write(text);
  };
  return {
    step: (text, state) => progress.show(text, state),
    note: (text) => print(`${escapeText(text)}\n`),
    verdicts: (rows) => print(`\n${renderVerdicts(rows, style)}\n`),
    ready(addresses) {
      const width = Math.max(0, ...addresses.map(({ label }) => label.length));
      print(addresses.map(({ label, url }) => `${label.padEnd(width)}  ${url}\n`).join(''));
    },
  };
}

/** mcp-vitals daemon: the worker itself. */
export const addDaemon: AddCommand = (program, context) => {
  program
    .command('daemon')
    .summary('run the worker')
    .description(
      'Runs the worker until it is stopped with Ctrl-C or SIGTERM. Without DATABASE_URL it starts its own PostgreSQL, and a demo fleet when nothing is registered.',
    )
    .option('--demo', 'start the demo fleet, also beside what is registered')
    .option('--no-demo', 'start no demo fleet')
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals daemon
  mcp-vitals daemon --no-demo
  DATABASE_URL=postgres://… REDIS_URL=redis://… mcp-vitals daemon

What can be set is listed in docs/configuration.md.`,
    )
    .action(({ demo }: { demo?: boolean }) =>
      context.actions.runDaemon({ demo, report: createReport(context) }),
    );
};
