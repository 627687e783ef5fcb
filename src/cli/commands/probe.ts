import { Option } from 'commander';
import { classify } from '../../core/classify.ts';
import { ERAS, type EraChoice, type TransportType } from '../../core/target.ts';
import { createSecrets } from '../../logging/secrets.ts';
import { stripCredentials } from '../../logging/strip-credentials.ts';
import { UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { headerOption, jsonOption, parseInteger, readSecret, transportOption } from '../parse-options.ts';
import { describeTarget, parseTarget } from '../parse-target.ts';
import { renderProbeText, toProbeJson } from '../render/probe-report.ts';

interface ProbeOptions {
  transport?: TransportType;
  era: EraChoice;
  header?: Record<string, string>;
  bearer?: string;
  timeout?: number;
  json?: true;
  tools?: true;
  strict?: true;
}

function readCredentials(options: ProbeOptions, isCommand: boolean, { io }: CommandContext) {
  const headers = options.header ?? {};
  if (isCommand && (options.header || options.bearer !== undefined))
    throw new UsageError(
      '--header and --bearer are for URLs: a command gets its secrets through its environment',
    );
  if (options.bearer === undefined) return { headers };
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'authorization'))
    throw new UsageError('give either --bearer or an Authorization header: not both');
  return { headers, bearer: readSecret(options.bearer, '--bearer', io.environment) };
}

async function runProbe(operands: string[], options: ProbeOptions, context: CommandContext): Promise<void> {
  const { actions, io, style, progress, afterDashes } = context;
  const { transport, era, timeout } = options;
  const target = parseTarget(operands, afterDashes, { command: 'probe', transport });
  const credentials = readCredentials(options, target.kind === 'command', context);
  const label = describeTarget(target);
  if (!options.json && io.err.isTTY) progress.show(`probing ${label}`);
  const outcome = await actions.probe({
    target,
    era,
    ...credentials,
    ...(options.strict ? { strict: true as const } : {}),
    ...(transport === undefined ? {} : { transport }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  });
  progress.clear();
  const secrets = createSecrets([
    ...Object.values(credentials.headers),
    ...(credentials.bearer === undefined ? [] : [credentials.bearer]),
  ]);
  const report = {
    target: label,
    listTools: options.tools === true,
    redact: (text: string) => stripCredentials(secrets.redact(text)),
  };
  if (options.json) printJson(context, toProbeJson(outcome, report));
  else io.out.write(renderProbeText(outcome, report, style));
  context.exitWith(classify(outcome).verdict === 'up' ? 0 : 1);
}

/** mcp-vitals probe: one probe, without a database. */
export const addProbe: AddCommand = (program, context) => {
  program
    .command('probe')
    .summary('probe one server now; needs no database')
    .description(
      'Probes one server now and tells what it is, what it offers and what is wrong with it.\nNeeds no database. Exit code 0: up; 1: any other verdict; 2: wrong usage.',
    )
    .argument('[target...]', 'a URL (http, https, ws, wss) or, after --, a command that speaks stdio')
    .addOption(transportOption())
    .addOption(
      new Option('--era <era>', 'the protocol era to speak').choices(['auto', ...ERAS]).default('auto'),
    )
    .addOption(headerOption())
    .option('--bearer <token>', 'a bearer token to send, or env:NAME to take it from the environment')
    .option('--timeout <ms>', 'the deadline of the whole probe, in milliseconds', parseInteger(100, 600_000))
    .option('--tools', 'list the tools as well')
    .option('--strict', 'connect to public addresses only, and to those in VITALS_EGRESS_ALLOW')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals probe https://mcp.example.com/mcp
  mcp-vitals probe https://mcp.example.com/mcp --bearer env:MCP_TOKEN --json
  mcp-vitals probe wss://mcp.example.com/ws --header "X-API-Key: $KEY"
  mcp-vitals probe --tools -- npx -y @modelcontextprotocol/server-everything`,
    )
    .action((operands: string[], options: ProbeOptions) => runProbe(operands, options, context));
};
