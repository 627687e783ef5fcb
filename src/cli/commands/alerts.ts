import type { AlertSummary } from '../actions.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { renderAlerts } from '../render/alert-table.ts';
import { escapeText } from '../render/escape.ts';
import { formatCount } from '../render/format-values.ts';

const addCheck: AddCommand = (alerts, context) => {
  alerts
    .command('check')
    .summary('check an alerts file')
    .description('Checks an alerts file and names every problem with its line; the exit code is then 2.')
    .argument('<file>', 'the file')
    .addHelpText('after', '\nExample:\n  mcp-vitals alerts check alerts.yaml')
    .action(async (file: string) => {
      const { channels, routes } = await context.actions.checkAlertsFile(file);
      context.io.out.write(`ok, ${formatCount(channels, 'channel')}, ${formatCount(routes, 'route')}\n`);
    });
};

const addTest: AddCommand = (alerts, context) => {
  alerts
    .command('test')
    .summary('send a test through a channel')
    .description(
      'Sends a test message through a channel and shows what it answered.\nExit code 1 when it was refused.',
    )
    .argument('<channel>', 'the name of the channel')
    .option('--file <file>', 'the alerts file; the one that VITALS_ALERTS_FILE names unless given')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals alerts test ops --file alerts.yaml')
    .action(async (channel: string, { file, json }: { file?: string; json?: true }) => {
      const result = await context.actions.testChannel({ channel, file: file ?? null });
      if (json) printJson(context, result);
      else {
        const verdict = result.accepted ? 'accepted' : 'refused';
        context.io.out.write(
          escapeText(`${result.channel} (${result.type}) ${verdict} the test: ${result.said}`),
        );
        context.io.out.write('\n');
      }
      context.exitWith(result.accepted ? 0 : 1);
    });
};

const addList: AddCommand = (alerts, context) => {
  alerts
    .command('list')
    .summary('list the alerts that fire')
    .description('Lists the alerts that fire, who was told of each, and why somebody was not.')
    .option('--all', 'also those that are over, the latest thousand')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  mcp-vitals alerts list\n  mcp-vitals alerts list --all --json')
    .action(async ({ all, json }: { all?: true; json?: true }) => {
      const found: AlertSummary[] = await context.actions.listAlerts({ all: all === true });
      if (json) return printJson(context, found);
      context.io.out.write(
        found.length === 0 ? 'no alerts\n' : renderAlerts(found, context.style, context.now()),
      );
    });
};

/** mcp-vitals alerts: who is told of what. */
export const addAlerts: AddCommand = (program, context) => {
  const alerts = program
    .command('alerts')
    .summary('list alerts, check the alerts file, test a channel')
    .description('Alerts, and the file of channels and routes that says who is told of them.');
  for (const add of [addList, addCheck, addTest]) add(alerts, context);
};

/** mcp-vitals policy: how states are decided. */
export const addPolicy: AddCommand = (program, context) => {
  program
    .command('policy')
    .summary('check a policy file')
    .description('The file that says how states are decided.')
    .command('check')
    .summary('check a policy file')
    .description('Checks a policy file and names every problem with its line; the exit code is then 2.')
    .argument('<file>', 'the file')
    .addHelpText('after', '\nExample:\n  mcp-vitals policy check policy.yaml')
    .action(async (file: string) => {
      const { windows } = await context.actions.checkPolicyFile(file);
      context.io.out.write(`ok, ${formatCount(windows, 'recurring maintenance window')}\n`);
    });
};
