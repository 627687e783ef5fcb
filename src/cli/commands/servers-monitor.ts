import { basename } from 'node:path';
import { parseMonitorFile } from '../../config/monitor-file.ts';
import type { MonitorDetail } from '../actions.ts';
import { CommandFailed, UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { readFileText } from '../read-file.ts';
import { escapeText } from '../render/escape.ts';

interface MonitorOptions {
  file?: string;
  clear?: true;
  json?: true;
}

function print(detail: MonitorDetail, options: MonitorOptions, context: CommandContext): void {
  const { io } = context;
  if (options.json) {
    printJson(context, detail);
    return;
  }
  if (options.file !== undefined)
    io.out.write(`stored the monitoring settings of ${escapeText(detail.name)}\n`);
  else if (options.clear) io.out.write(`took the monitoring settings of ${escapeText(detail.name)} away\n`);
  else if (detail.monitor === null) io.out.write('no monitoring settings\n');
  else printJson(context, detail.monitor);
  for (const problem of detail.problems) io.err.write(`mcp-vitals: not applied: ${escapeText(problem)}\n`);
}

async function runMonitor(id: string, options: MonitorOptions, context: CommandContext): Promise<void> {
  const { actions, io } = context;
  const { file, clear } = options;
  if (file !== undefined && clear)
    throw new UsageError('--file and --clear are two different things: choose one');
  // Read and checked before anything is stored: what is stored stays when the file is wrong.
  const monitor = file === undefined ? null : parseMonitorFile(basename(file), await readFileText(file, io));
  const detail =
    file === undefined && !clear ? await actions.showMonitor(id) : await actions.setMonitor(id, monitor);
  if (detail === null) throw new CommandFailed(`no server has the id or name ${escapeText(id)}`);
  print(detail, options, context);
  context.exitWith(detail.problems.length > 0 ? 1 : 0);
}

/** mcp-vitals servers monitor. */
export const addServersMonitor: AddCommand = (servers, context) => {
  servers
    .command('monitor')
    .summary('show or set how a server is watched')
    .description(
      'Shows the monitoring settings of a server (budget, canary, objective), or stores those of a file.\nA file with anything wrong in it is refused with line and reason, and what is stored stays.',
    )
    .argument('<id>', 'its id, or its name')
    .option('--file <file>', 'a JSON or YAML file to store')
    .option('--clear', 'take the settings away')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals servers monitor demo-everything-http
  mcp-vitals servers monitor demo-everything-http --file monitor.json`,
    )
    .action((id: string, options: MonitorOptions) => runMonitor(id, options, context));
};
