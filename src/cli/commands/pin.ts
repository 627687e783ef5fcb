import { CommandFailed, UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { isHash } from '../parse-moment.ts';
import { jsonOption } from '../parse-options.ts';
import { renderPins } from '../render/drift-timeline.ts';
import { escapeText } from '../render/escape.ts';

interface PinOptions {
  accept?: string;
  remove?: true;
  list?: true;
  json?: true;
}

async function runPin(
  server: string | undefined,
  options: PinOptions,
  context: CommandContext,
): Promise<void> {
  const { actions, io, style } = context;
  const { accept, remove, list, json } = options;
  if ([accept, remove, list].filter((option) => option !== undefined).length > 1) {
    throw new UsageError('--accept, --remove and --list exclude each other');
  }
  const unknown = () => new CommandFailed(`no server has the id or name ${escapeText(server ?? '')}`);
  if (list) {
    const pins = await actions.listPins(server ?? null);
    if (pins === null) throw unknown();
    if (json) return printJson(context, pins);
    io.out.write(pins.length === 0 ? 'nothing is pinned\n' : renderPins(pins, style));
    return;
  }
  if (server === undefined) throw new UsageError('say which server');
  if (accept !== undefined && !isHash(accept)) {
    throw new UsageError('--accept wants the hash of an inventory, as `mcp-vitals drift` shows it');
  }
  const change = remove
    ? await actions.unpinInventory(server)
    : await actions.pinInventory(server, accept ?? null);
  if (change === null) throw unknown();
  if (json) return printJson(context, change);
  io.out.write(`${escapeText(change.server.name)} ${escapeText(change.summary)}\n`);
}

/** mcp-vitals pin: what a server is held to. */
export const addPin: AddCommand = (program, context) => {
  program
    .command('pin')
    .summary('hold a server to the inventory that it has')
    .description(
      'Holds a server to its inventory: a breaking or suspicious difference raises an alert and a security event, which stay open until somebody accepts an inventory by its hash.',
    )
    .argument('[server]', 'its id, or its name')
    .option('--accept <hash>', 'hold it to this inventory from now on, and end what was open about it')
    .option('--remove', 'do not hold it any more')
    .option('--list', 'show what is pinned, of one server or of all')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals pin demo-everything-http
  mcp-vitals pin demo-everything-http --accept v2:1f0c9ae2
  mcp-vitals pin --list --json`,
    )
    .action((server: string | undefined, options: PinOptions) => runPin(server, options, context));
};
