import { Option } from 'commander';
import type { MaintenanceSummary, NewMaintenance } from '../actions.ts';
import { CommandFailed, UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { collectText, jsonOption, parseName } from '../parse-options.ts';
import { escapeText } from '../render/escape.ts';
import { renderTable } from '../render/table.ts';

interface AddOptions {
  title: string;
  start: string;
  end: string;
  service: string[];
  tenant?: string[];
  type: NewMaintenance['type'];
  impact: NewMaintenance['impact'];
  json?: true;
}

/** A moment with its zone, so that nobody has to guess whose midnight is meant. */
function parseMoment(option: string, text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`${option}: ${escapeText(text)} is no time like 2026-01-31T12:00:00Z`);
  return ms;
}

async function runAdd(options: AddOptions, context: CommandContext): Promise<void> {
  const { title, type, impact, service, tenant = [], json } = options;
  const startMs = parseMoment('--start', options.start, context.now());
  const endMs = parseMoment('--end', options.end, context.now());
  if (endMs <= startMs) throw new UsageError('--end has to be after --start');
  const window = {
    title,
    type,
    impact,
    startMs,
    endMs,
    services: [...new Set(service)],
    tenants: [...new Set(tenant)],
  };
  const { id, unknown } = await context.actions.addMaintenance(window);
  if (id === null)
    throw new UsageError(`no server has the id ${unknown.map(escapeText).join(', ')}: nothing was planned`);
  if (json) printJson(context, { id });
  else context.io.out.write(`planned ${id}\n`);
}

const addAdd: AddCommand = (maintenance, context) => {
  maintenance
    .command('add')
    .summary('plan a maintenance')
    .description('Plans a maintenance: inside it servers are probed, and nobody is alerted.')
    .addOption(new Option('--title <title>', 'what is done').argParser(parseName).makeOptionMandatory())
    .option('--start <time>', 'an ISO time with its zone, or now', 'now')
    .requiredOption('--end <time>', 'an ISO time with its zone')
    .addOption(
      new Option('--service <id>', 'a server’s id, or * for all; may be given again')
        .argParser(collectText)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--tenant <id>', 'only servers of this tenant; may be given again').argParser(collectText),
    )
    .addOption(
      new Option('--type <type>', 'what kind of work it is')
        .choices(['scheduled', 'emergency', 'security_patch', 'upgrade'])
        .default('scheduled'),
    )
    .addOption(
      new Option('--impact <impact>', 'what users will notice')
        .choices(['none', 'minimal', 'partial', 'full_outage'])
        .default('partial'),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals maintenance add --title "new disks" --end 2026-01-31T14:00:00Z --service search
  mcp-vitals maintenance add --title "upgrade" --start 2026-01-31T22:00:00+01:00 --end 2026-02-01T02:00:00+01:00 --service "*"`,
    )
    .action((options: AddOptions) => runAdd(options, context));
};

const span = (window: MaintenanceSummary): string =>
  `${window.actualStart ?? window.scheduledStart} to ${window.actualEnd ?? (window.status === 'extended' ? 'its end' : window.scheduledEnd)}`;

const addList: AddCommand = (maintenance, context) => {
  maintenance
    .command('list')
    .summary('list what is planned, goes on, and was')
    .description('Lists the maintenance windows: those that go on or are to come first.')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals maintenance list --json')
    .action(async ({ json }: { json?: true }) => {
      const windows = await context.actions.listMaintenance();
      if (json) return printJson(context, windows);
      const table = renderTable<MaintenanceSummary>(
        [
          { title: 'id', value: ({ id }) => id },
          { title: 'status', value: ({ status }) => status },
          { title: 'when', value: span },
          { title: 'title', value: ({ title }) => title, flexible: true },
          { title: 'servers', value: ({ services }) => services.join(', '), flexible: true },
        ],
        windows,
        context.style,
      );
      context.io.out.write(windows.length === 0 ? 'no maintenance\n' : table);
    });
};

const ends = (name: 'cancel' | 'end', how: 'cancelled' | 'completed', summary: string): AddCommand => {
  return (maintenance, context) => {
    maintenance
      .command(name)
      .summary(summary)
      .argument('<id>', 'as maintenance list shows it')
      .addOption(jsonOption())
      .addHelpText(
        'after',
        `\nExample:\n  mcp-vitals maintenance ${name} 6f1c2f0e-8d53-4b43-9d38-0e6f7c0b1a2d`,
      )
      .action(async (id: string, { json }: { json?: true }) => {
        const result = await context.actions.endMaintenance(id, how);
        if (result === 'unknown') throw new UsageError(`no maintenance has the id ${escapeText(id)}`);
        if (result === 'over') throw new CommandFailed(`${escapeText(id)} is over already`);
        if (result === 'not_begun')
          throw new CommandFailed(`${escapeText(id)} has not begun: it can be cancelled`);
        if (json) printJson(context, { id, status: how });
        else context.io.out.write(`${how} ${escapeText(id)}\n`);
      });
  };
};

/** mcp-vitals maintenance: windows in which nobody is alerted. */
export const addMaintenance: AddCommand = (program, context) => {
  const maintenance = program
    .command('maintenance')
    .summary('plan, list, cancel and end maintenance')
    .description('Maintenance windows, in the database that DATABASE_URL names or the embedded one.');
  const cancel = ends('cancel', 'cancelled', 'call a maintenance off, begun or not');
  const end = ends('end', 'completed', 'end a maintenance that goes on');
  for (const add of [addAdd, addList, cancel, end]) add(maintenance, context);
};
