import { basename } from 'node:path';
import { parsePolicy } from '../../config/policy-file.ts';
import { FileError } from '../../config/yaml-file.ts';
import type { Policy } from '../../core/policy.ts';
import { CommandFailed, UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { parseSince } from '../parse-since.ts';
import { escapeText } from '../render/escape.ts';
import { renderReplay } from '../render/replay-report.ts';

interface ReplayOptions {
  server: string;
  since: string;
  policy?: string;
  json?: true;
}

async function readPolicy(file: string, { io }: CommandContext): Promise<Policy> {
  let text: string;
  try {
    text = await io.readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
    throw new UsageError(`${file}: ${code === 'ENOENT' ? 'there is no such file' : code}`);
  }
  try {
    return parsePolicy(basename(file), text);
  } catch (error) {
    throw error instanceof FileError ? new UsageError(error.message) : error;
  }
}

async function runReplay(options: ReplayOptions, context: CommandContext): Promise<void> {
  const sinceMs = parseSince(options.since, context.now());
  const policy = options.policy === undefined ? null : await readPolicy(options.policy, context);
  const result = await context.actions.replay({ idOrName: options.server, sinceMs, policy });
  if (result === null) throw new CommandFailed(`no server has the id or name ${escapeText(options.server)}`);
  if (options.json) printJson(context, result);
  else context.io.out.write(renderReplay(result, context.style));
}

/** mcp-vitals replay: a policy over what has happened. */
export const addReplay: AddCommand = (program, context) => {
  program
    .command('replay')
    .summary('run a policy over a server’s history')
    .description(
      'Decides a server’s stored history again, with the configured policy or another one, and shows which alerts that raises, when, and for how long, beside those that were really raised: which are new, which would have been missed, and which come sooner or later. Nothing is changed, and nobody is told.',
    )
    .requiredOption('--server <id>', 'its id, or its name')
    .option('--since <time>', 'from when on: 30m, 12h, 7d before now, or an ISO time', '7d')
    .option('--policy <file>', 'a policy file to try; without it the configured one')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals replay --server search --since 7d
  mcp-vitals replay --server search --since 2026-01-31T12:00:00Z --policy calmer.yaml --json`,
    )
    .action((options: ReplayOptions) => runReplay(options, context));
};
