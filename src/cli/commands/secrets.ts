import type { SecretsCommand, SecretsReport } from '../actions.ts';
import { UsageError } from '../cli-io.ts';
import { type AddCommand, type CommandContext, printJson } from '../command-context.ts';
import { jsonOption } from '../parse-options.ts';
import { escapeText } from '../render/escape.ts';
import { formatCount } from '../render/format-values.ts';

/** More names than this help nobody on a terminal; `--json` has all of them. */
const SHOWN = 20;

function listIds(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN).map(escapeText).join(', ');
  return ids.length > SHOWN ? `${shown} and ${ids.length - SHOWN} more` : shown;
}

function describe(work: SecretsCommand['work'], report: SecretsReport): string[] {
  const { replaced, plain, unreadable, byKey, changedMeanwhile } = report;
  const keys = Object.entries(byKey).map(([id, count]) => `${count} with the key ${escapeText(id)}`);
  const sealed = Object.values(byKey).reduce((sum, count) => sum + count, 0);
  const lines: string[] = [];
  if (work !== 'check')
    lines.push(`${formatCount(replaced, 'server')} ${work === 'seal' ? 'sealed' : 'sealed anew'}`);
  lines.push(`sealed: ${sealed}${keys.length > 0 ? ` (${keys.join(', ')})` : ''}`);
  lines.push(`in plain text: ${plain.length}${plain.length > 0 ? ` (${listIds(plain)})` : ''}`);
  if (changedMeanwhile.length > 0)
    lines.push(`changed by others meanwhile, run it again: ${listIds(changedMeanwhile)}`);
  for (const { id, problem } of unreadable.slice(0, SHOWN))
    lines.push(`unreadable: ${escapeText(id)}: ${escapeText(problem)}`);
  if (unreadable.length > SHOWN) lines.push(`unreadable: ${unreadable.length - SHOWN} more`);
  return lines;
}

async function run(
  work: SecretsCommand['work'],
  ids: string[] | undefined,
  json: boolean,
  context: CommandContext,
): Promise<void> {
  const { actions, io, progress } = context;
  const report = await actions.secrets({
    work,
    ...(ids === undefined ? {} : { ids: [...new Set(ids)] }),
    onProgress: (done) => progress.show(`${formatCount(done, 'server')} done`),
  });
  progress.clear();
  if (json) printJson(context, report);
  else for (const line of describe(work, report)) io.out.write(`${line}\n`);
  for (const id of report.unknown) io.err.write(`mcp-vitals: no server has the id ${escapeText(id)}\n`);
  const { unreadable, unknown, changedMeanwhile, plain } = report;
  const left =
    unreadable.length + unknown.length + changedMeanwhile.length + (work === 'check' ? plain.length : 0);
  context.exitWith(left > 0 ? 1 : 0);
}

/** mcp-vitals secrets: the credentials of servers, sealed in the registry. */
export const addSecrets: AddCommand = (program, context) => {
  const secrets = program
    .command('secrets')
    .summary('seal the credentials of servers in the registry')
    .description(
      'The credentials in auth_config, sealed with VITALS_SECRET_KEY. No command shows a key or a secret.\nEach may be ended and run again: what is done stays done.',
    );
  secrets
    .command('seal')
    .summary('seal credentials that are in plain text')
    .description('Seals the credentials that are in plain text, with the first key of VITALS_SECRET_KEY.')
    .argument('[id...]', 'the ids of the servers')
    .option('--all', 'every server')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  mcp-vitals secrets seal --all\n  mcp-vitals secrets seal github linear',
    )
    .action(async (ids: string[], { all, json }: { all?: true; json?: true }) => {
      if (ids.length > 0 && all) throw new UsageError('ids and --all exclude each other');
      if (ids.length === 0 && !all) throw new UsageError('say which: ids or --all');
      await run('seal', all ? undefined : ids, json === true, context);
    });
  secrets
    .command('rotate')
    .summary('seal anew what an older key sealed')
    .description('Seals anew, with the first key, what another key of VITALS_SECRET_KEY sealed.')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  VITALS_SECRET_KEY=new:…,old:… mcp-vitals secrets rotate')
    .action(({ json }: { json?: true }) => run('rotate', undefined, json === true, context));
  secrets
    .command('check')
    .summary('tell what is sealed, plain or unreadable')
    .description(
      'Tells which credentials are sealed, with which key, which are in plain text, and which cannot be opened.\nExit code 1 when some are in plain text or cannot be opened.',
    )
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  mcp-vitals secrets check --json')
    .action(({ json }: { json?: true }) => run('check', undefined, json === true, context));
};
