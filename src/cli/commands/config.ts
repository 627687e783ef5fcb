import { type AddCommand, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { escapeText } from '../render/escape.ts';
import { renderTable } from '../render/table.ts';

/** A number, true, JSON, or else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** mcp-vitals config: what the worker reads in system_config while it runs. */
export const addConfig: AddCommand = (program, context) => {
  const { actions, io, style } = context;
  const config = program
    .command('config')
    .summary('show and set what can be changed while the daemon runs')
    .description(
      'Settings in the table system_config, read by each run of a job: a running daemon takes them up within an hour, those of usage within a minute.',
    );
  config
    .command('list')
    .description(
      'The settings: what is stored, what is in force, and what is wrong with a value that is refused.',
    )
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals config list')
    .action(async ({ json }: { json?: true }) => {
      const settings = await actions.listSettings();
      if (json) return printJson(context, settings);
      const show = (value: unknown) => (value === null ? '' : JSON.stringify(value));
      const table = renderTable(
        [
          { title: 'KEY', value: ({ key }) => key },
          { title: 'VALUE', value: ({ value }) => show(value) },
          { title: 'IN FORCE', value: ({ inForce }) => show(inForce) },
          { title: 'MEANING', value: ({ problem, description }) => problem ?? description },
        ],
        settings,
        style,
      );
      io.out.write(`${table}\n`);
    });
  config
    .command('set')
    .description('Stores a value, after it was held against the rules that are stored with it.')
    .argument('<key>', 'as `config list` shows it')
    .argument('<value>', 'the value')
    .addHelpText('after', '\nExample:\n  mcp-vitals config set vitals.retention.api_usage_days 60')
    .action(async (key: string, value: string) => {
      const problem = await actions.setSetting(key, parseValue(value));
      if (problem === null) io.out.write(`${escapeText(key)} is ${escapeText(value)} now\n`);
      else io.err.write(`mcp-vitals: ${escapeText(problem)}\n`);
      context.exitWith(problem === null ? 0 : 1);
    });
};
