import { UsageError } from '../cli-io.ts';
import { type AddCommand, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { escapeText } from '../render/escape.ts';

const SCHEMES = ['http:', 'https:', 'ws:', 'wss:'];

/** mcp-vitals egress: the rule about where probes may connect. */
export const addEgress: AddCommand = (program, context) => {
  const egress = program
    .command('egress')
    .summary('tell where probes may connect')
    .description('The rule about which addresses probes may connect to.');
  egress
    .command('check')
    .summary('say what a probe of a URL would meet, and why')
    .description(
      'Resolves the host of a URL, and says of each address whether a probe may connect to it, and why.\nConnects to nothing. Exit code 1 when a probe would be denied.',
    )
    .argument('<url>', 'a URL (http, https, ws, wss)')
    .option('--strict', 'ask the strict policy, whatever is configured')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals egress check https://mcp.example.com/mcp --strict')
    .action(async (text: string, { strict, json }: { strict?: true; json?: true }) => {
      if (!URL.canParse(text) || !SCHEMES.includes(new URL(text).protocol) || new URL(text).hostname === '')
        throw new UsageError('give a URL that begins with http://, https://, ws:// or wss://');
      const report = await context.actions.checkEgress({ url: text, strict: strict === true });
      if (json) printJson(context, report);
      else {
        const { style, io } = context;
        const head = report.permitted ? 'permitted' : 'denied';
        io.out.write(`${style.bold(head)}  ${escapeText(report.why)}\n\n`);
        io.out.write(`policy     ${report.mode}\n`);
        io.out.write(`host       ${escapeText(report.host)}, port ${report.port}\n`);
        for (const { address, permitted, why } of report.addresses)
          io.out.write(
            `address    ${escapeText(address)}  ${permitted ? 'permitted' : 'denied'}: ${escapeText(why)}\n`,
          );
      }
      context.exitWith(report.permitted ? 0 : 1);
    });
};
