import { authOfHeaders, authOfProcess } from '../../core/import/imported.ts';
import { quoteCommand } from '../../core/import/quote-command.ts';
import type { TransportType } from '../../core/target.ts';
import type { AddResult, NewServer } from '../actions.ts';
import { UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import {
  collectText,
  collectVariable,
  headerOption,
  jsonOption,
  parseInteger,
  parseName,
  readSecret,
  transportOption,
} from '../parse-options.ts';
import { describeTarget, parseTarget } from '../parse-target.ts';
import { escapeText } from '../render/escape.ts';

interface AddOptions {
  name?: string;
  id?: string;
  description?: string;
  transport?: TransportType;
  header?: Record<string, string>;
  bearer?: string;
  env?: Record<string, string>;
  cwd?: string;
  tag?: string[];
  tenant?: string;
  interval?: number;
  json?: true;
}

type Reached = Pick<NewServer, 'endpointUrl' | 'transportType' | 'authType' | 'authConfig'>;

function reachUrl(url: string, options: AddOptions, { io }: CommandContext): Reached {
  if (options.env || options.cwd !== undefined)
    throw new UsageError('--env and --cwd are for commands: a URL has no process of ours');
  const headers = { ...options.header };
  if (options.bearer !== undefined)
    headers.Authorization = `Bearer ${readSecret(options.bearer, '--bearer', io.environment)}`;
  const transportType = options.transport ?? (/^wss?:/.test(url) ? 'websocket' : 'http');
  return { endpointUrl: url, transportType, ...authOfHeaders(headers) };
}

function reachCommand(words: readonly string[], options: AddOptions): Reached {
  if (options.header || options.bearer !== undefined)
    throw new UsageError('--header and --bearer are for URLs: give a command its secrets with --env');
  return {
    endpointUrl: quoteCommand(words),
    transportType: 'stdio',
    ...authOfProcess(options.env ?? {}, options.cwd),
  };
}

/** Tells what went in and what did not; the exit code is 1 when something did not. */
export function printAdded(result: AddResult, context: CommandContext): void {
  for (const { id, name } of result.added)
    context.io.out.write(`added ${escapeText(name)} as ${escapeText(id)}\n`);
  for (const { name, reason } of result.skipped)
    context.io.err.write(`mcp-vitals: not added: ${escapeText(name)}: ${escapeText(reason)}\n`);
}

async function runAdd(operands: string[], options: AddOptions, context: CommandContext): Promise<void> {
  const target = parseTarget(operands, context.afterDashes, {
    command: 'servers add',
    transport: options.transport,
  });
  const { id, interval } = options;
  const server: NewServer = {
    ...(id === undefined ? {} : { id }),
    name: options.name ?? describeTarget(target),
    description: options.description ?? null,
    version: null,
    ...(target.kind === 'url' ? reachUrl(target.url, options, context) : reachCommand(target.words, options)),
    tags: options.tag ?? [],
    tenantId: options.tenant ?? null,
    ...(interval === undefined ? {} : { intervalSeconds: interval }),
  };
  const result = await context.actions.addServers([server]);
  if (options.json) printJson(context, result);
  else printAdded(result, context);
  context.exitWith(result.skipped.length > 0 ? 1 : 0);
}

/** mcp-vitals servers add. */
export const addServersAdd: AddCommand = (servers, context) => {
  servers
    .command('add')
    .summary('register a server')
    .description('Registers a server; a running daemon probes it at once.')
    .argument('[target...]', 'a URL (http, https, ws, wss) or, after --, a command that speaks stdio')
    .option('--name <name>', 'its name; its address where it is not given', parseName)
    .option('--id <id>', 'its id; made up where it is not given', parseName)
    .option('--description <text>', 'what it is')
    .addOption(transportOption())
    .addOption(headerOption())
    .option('--bearer <token>', 'its bearer token, or env:NAME to take it from the environment')
    .option(
      '--env <variable>',
      'a variable for a command, as NAME=value; may be given again',
      collectVariable,
    )
    .option('--cwd <folder>', 'the working folder of a command')
    .option('--tag <tag>', 'a tag; may be given again', collectText)
    .option('--tenant <id>', 'the tenant that it belongs to')
    .option('--interval <seconds>', 'how often to probe it', parseInteger(5, 86_400))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals servers add https://mcp.example.com/mcp --name Example --bearer env:MCP_TOKEN
  mcp-vitals servers add https://mcp.example.com/sse --name Older --transport sse --tag production
  mcp-vitals servers add --name Memory -- npx -y @modelcontextprotocol/server-memory`,
    )
    .action((operands: string[], options: AddOptions) => runAdd(operands, options, context));
};
