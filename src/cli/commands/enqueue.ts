import type { EnqueueResult, Selection } from '../actions.ts';
import { UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { escapeText } from '../render/escape.ts';
import { formatCount } from '../render/format-values.ts';
import { renderVerdicts } from '../render/verdict-table.ts';

interface EnqueueOptions {
  all?: true;
  tag?: string;
  tenant?: string;
  wait?: true;
  json?: true;
}

function readSelection(ids: string[], { all, tag, tenant }: EnqueueOptions): Selection {
  const given: Selection[] = [];
  if (ids.length > 0) given.push({ ids: [...new Set(ids)] });
  if (all) given.push({ all: true });
  if (tag !== undefined) given.push({ tag });
  if (tenant !== undefined) given.push({ tenantId: tenant });
  const [selection, ...more] = given;
  if (selection === undefined) throw new UsageError('say which: ids, --all, --tag or --tenant');
  if (more.length > 0) throw new UsageError('ids, --all, --tag and --tenant exclude each other');
  return selection;
}

/** What a selection that no server is in was; null when there is one, or when each missing id is named. */
function describeNobody(
  selection: Selection,
  { queued, unfinished, verdicts }: EnqueueResult,
): string | null {
  if (queued.length + unfinished.length + (verdicts?.length ?? 0) > 0 || 'ids' in selection) return null;
  if ('tag' in selection) return `no server has the tag ${escapeText(selection.tag)}`;
  if ('tenantId' in selection) return `no server belongs to the tenant ${escapeText(selection.tenantId)}`;
  return 'no server is registered';
}

async function runEnqueue(ids: string[], options: EnqueueOptions, context: CommandContext): Promise<void> {
  const { actions, io, style, progress } = context;
  const selection = readSelection(ids, options);
  const result = await actions.enqueue({
    selection,
    wait: options.wait === true,
    onProgress: (state) => progress.show('probing', state),
  });
  progress.clear();
  const { queued, unknown, verdicts, unfinished } = result;
  const nobody = describeNobody(selection, result);
  if (options.json) printJson(context, result);
  else if (queued.length === 0 && !verdicts?.length) io.out.write('0 probes queued\n');
  else if (verdicts) io.out.write(renderVerdicts(verdicts, style));
  else io.out.write(`${formatCount(queued.length, 'probe')} queued\n`);
  if (nobody !== null) io.err.write(`mcp-vitals: ${nobody}\n`);
  for (const id of unknown) io.err.write(`mcp-vitals: no server has the id ${escapeText(id)}\n`);
  if (unfinished.length > 0)
    io.err.write(
      `mcp-vitals: ${formatCount(unfinished.length, 'probe')} not finished: ${unfinished.map(({ name }) => escapeText(name)).join(', ')}\n`,
    );
  context.exitWith(nobody !== null || unknown.length + unfinished.length > 0 ? 1 : 0);
}

/** mcp-vitals enqueue: manual probes, ahead of the scheduled ones. */
export const addEnqueue: AddCommand = (program, context) => {
  program
    .command('enqueue')
    .summary('have registered servers probed now, ahead of schedule')
    .description(
      'Queues manual probes; a running daemon takes them before the scheduled ones.\nExit code 1 when an id is not registered, when no server is meant, or when a probe did not finish with --wait.',
    )
    .argument('[id...]', 'the ids of the servers')
    .option('--all', 'every server')
    .option('--tag <tag>', 'the servers with this tag')
    .option('--tenant <id>', 'the servers of this tenant')
    .option('--wait', 'wait for the verdicts and show them')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals enqueue demo-everything-http
  mcp-vitals enqueue --tag production --wait
  mcp-vitals enqueue --all --wait --json`,
    )
    .action((ids: string[], options: EnqueueOptions) => runEnqueue(ids, options, context));
};
