import { UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { parseTime } from '../parse-moment.ts';
import { jsonOption } from '../parse-options.ts';

interface RollupOptions {
  from: string;
  to: string;
  dryRun?: true;
  json?: true;
}

async function runRollup(options: RollupOptions, context: CommandContext): Promise<void> {
  const { actions, io, progress, now } = context;
  const nowMs = now();
  const [fromMs, toMs] = [parseTime(options.from, nowMs), parseTime(options.to, nowMs)];
  if (fromMs > nowMs) throw new UsageError('--from is in the future, of which there are no calls');
  if (fromMs >= toMs) throw new UsageError('--from is to be before --to');
  const dryRun = options.dryRun ?? false;
  const result = await actions.rollUp({
    fromMs,
    toMs,
    dryRun,
    onProgress: (state) => progress.show('recomputing', state),
  });
  progress.clear();
  if (options.json) return printJson(context, result);
  const what = dryRun ? 'would be changed' : 'were changed';
  const days = result.days === 1 ? '1 day' : `${result.days} days`;
  const counted = result.changed === 0 ? 'nothing' : `${result.changed} statistics`;
  io.out.write(`${days}: ${counted} ${result.changed === 0 && !dryRun ? 'was to be changed' : what}\n`);
  for (const day of result.incomplete)
    io.out.write(`${day} was left as it is: fewer of its calls are there than were counted\n`);
}

/** mcp-vitals rollup: usage of a range, recomputed. */
export const addRollup: AddCommand = (program, context) => {
  program
    .command('rollup')
    .summary('recompute usage from the calls that are stored')
    .description(
      'Recomputes the usage statistics of the UTC days of a range from the rows of api_usage, and of their weeks and months, with events and the counters of servers, tools and tenants. What is right already is not touched. The daemon may run meanwhile.',
    )
    .requiredOption('--from <time>', 'an ISO date or time, or how long ago: 36h, 7d')
    .option('--to <time>', 'the same; now unless given', 'now')
    .option('--dry-run', 'say what would be changed, and change nothing')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals rollup --from 7d --dry-run')
    .action((options: RollupOptions) => runRollup(options, context));
};
