import { CommandFailed } from '../cli-io.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { parseTime } from '../parse-moment.ts';
import { jsonOption } from '../parse-options.ts';
import { renderTimeline } from '../render/drift-timeline.ts';
import { escapeText } from '../render/escape.ts';

/** mcp-vitals drift: the timeline of a server's inventory. */
export const addDrift: AddCommand = (program, context) => {
  program
    .command('drift')
    .summary('show how a server’s tools, resources and prompts changed')
    .description(
      'Shows each change of a server’s inventory, the latest first: what it means to callers (breaking, suspicious, additive, cosmetic), how much what changed is used, and what the listing costs in tokens.',
    )
    .argument('<server>', 'its id, or its name')
    .option('--since <time>', 'only changes since then: an ISO time, or how long ago, as 6h or 7d')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals drift demo-everything-http
  mcp-vitals drift demo-everything-http --since 7d --json`,
    )
    .action(async (server: string, { since, json }: { since?: string; json?: true }) => {
      const sinceMs = since === undefined ? null : parseTime(since, context.now());
      const timeline = await context.actions.readDrift(server, sinceMs);
      if (timeline === null) throw new CommandFailed(`no server has the id or name ${escapeText(server)}`);
      if (json) return printJson(context, timeline);
      context.io.out.write(renderTimeline(timeline, context.style));
    });
};
