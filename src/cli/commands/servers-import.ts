import { basename } from 'node:path';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { collectText, jsonOption } from '../parse-options.ts';
import { parseServersFile } from '../parse-servers-file.ts';
import { readFileText } from '../read-file.ts';
import { escapeText } from '../render/escape.ts';
import { printAdded } from './servers-add.ts';

interface ImportOptions {
  tag?: string[];
  tenant?: string;
  json?: true;
}

async function runImport(file: string, options: ImportOptions, context: CommandContext): Promise<void> {
  const { actions, io } = context;
  const parsed = parseServersFile(await readFileText(file, io), basename(file));
  const servers = parsed.servers.map(({ notes: _notes, ...server }) => ({
    ...server,
    tags: options.tag ?? [],
    tenantId: options.tenant ?? null,
  }));
  const result = servers.length === 0 ? { added: [], skipped: [] } : await actions.addServers(servers);
  const skipped = [...parsed.rejected, ...result.skipped];
  const notes = parsed.servers.flatMap(({ name, notes }) => notes.map((note) => ({ name, note })));
  if (options.json) printJson(context, { added: result.added, skipped, notes });
  else {
    printAdded({ added: result.added, skipped }, context);
    for (const { name, note } of notes) io.out.write(`note: ${escapeText(name)}: ${escapeText(note)}\n`);
    io.out.write(`${result.added.length} imported, ${skipped.length} not\n`);
  }
  context.exitWith(skipped.length > 0 ? 1 : 0);
}

/** mcp-vitals servers import. */
export const addServersImport: AddCommand = (servers, context) => {
  servers
    .command('import')
    .summary('register the servers of a file')
    .description(
      'Registers the servers of a file: the mcpServers of Claude Desktop, Cursor and others, the servers of VS Code, or the official registry’s server.json, alone or in a list. What cannot be imported is named with its reason, the rest goes in, and the exit code is then 1.',
    )
    .argument('<file>', 'the file; comments and trailing commas are fine')
    .option('--tag <tag>', 'a tag for all of them; may be given again', collectText)
    .option('--tenant <id>', 'the tenant that they belong to')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  mcp-vitals servers import ~/.cursor/mcp.json
  mcp-vitals servers import .vscode/mcp.json --tag workspace
  mcp-vitals servers import server.json --json`,
    )
    .action((file: string, options: ImportOptions) => runImport(file, options, context));
};
