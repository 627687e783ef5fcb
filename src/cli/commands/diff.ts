import { CommandFailed } from '../cli-io.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { parseMoment } from '../parse-moment.ts';
import { jsonOption } from '../parse-options.ts';
import { renderDiff } from '../render/drift-timeline.ts';
import { escapeText } from '../render/escape.ts';

/** mcp-vitals diff: two inventories of a server. */
export const addDiff: AddCommand = (program, context) => {
  program
    .command('diff')
    .summary('compare a server’s inventory at two times')
    .description(
      'Compares what a server offered at two times, and grades what changed. A time is an ISO date or time, how long ago (6h, 2d), or now; the hash of an inventory will do as well.',
    )
    .argument('<server>', 'its id, or its name')
    .argument('<t1>', 'the earlier time, or a hash')
    .argument('<t2>', 'the later time, or a hash')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals diff demo-everything-http 2d now
  mcp-vitals diff demo-everything-http 2026-01-01 2026-01-02T12:00Z --json`,
    )
    .action(async (server: string, t1: string, t2: string, { json }: { json?: true }) => {
      const [from, to] = [parseMoment(t1, context.now()), parseMoment(t2, context.now())];
      const diff = await context.actions.diffInventories(server, from, to);
      if (diff === null) throw new CommandFailed(`no server has the id or name ${escapeText(server)}`);
      if (json) return printJson(context, diff);
      context.io.out.write(renderDiff(diff, context.style));
    });
};
