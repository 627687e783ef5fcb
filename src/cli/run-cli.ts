import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { SettingsError } from '../config/settings-error.ts';
import { FileError } from '../config/yaml-file.ts';
import { stripCredentials } from '../logging/strip-credentials.ts';
import type { Actions } from './actions.ts';
import { type CliIo, UsageError } from './cli-io.ts';
import type { CommandContext } from './command-context.ts';
import { createProgram } from './create-program.ts';
import { escapeLines } from './render/escape.ts';
import { createProgress } from './render/progress.ts';
import { createStyle } from './render/style.ts';

export interface CliOptions {
  /** The words after the program's name. */
  argv: readonly string[];
  actions: Actions;
  io: CliIo;
  version: string;
  /** Milliseconds since 1970; the clock unless told. */
  now?(): number;
}

function wordsAfterDashes(argv: readonly string[]): [string, ...string[]] | null {
  const dashes = argv.indexOf('--');
  const [first, ...rest] = dashes === -1 ? [] : argv.slice(dashes + 1);
  return first === undefined ? null : [first, ...rest];
}

/** 2 for what the user has to correct on the command line, in the environment or in a file, otherwise 1. */
export function tellError(error: unknown, io: Pick<CliIo, 'err'>): number {
  // Commander has shown its message and the help; only what was asked for is no mistake.
  if (error instanceof CommanderError)
    return ['commander.helpDisplayed', 'commander.version'].includes(error.code) ? 0 : 2;
  const message = error instanceof Error ? error.message : String(error);
  io.err.write(`mcp-vitals: ${escapeLines(stripCredentials(message))}\n`);
  if (error instanceof UsageError) {
    io.err.write('(--help tells how it is used)\n');
    return 2;
  }
  return [ConfigError, SettingsError, FileError].some((kind) => error instanceof kind) ? 2 : 1;
}

/** Runs one command line and resolves with the exit code; it never ends the process itself. */
export async function runCli({ argv, actions, io, version, now = Date.now }: CliOptions): Promise<number> {
  let exitCode: 0 | 1 = 0;
  const progress = createProgress(io.err);
  const context: CommandContext = {
    actions,
    io,
    style: createStyle(io.out, io.environment),
    progress,
    afterDashes: wordsAfterDashes(argv),
    now,
    exitWith(code) {
      if (code > exitCode) exitCode = code;
    },
  };
  try {
    await createProgram(context, version).parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    progress.clear();
    return tellError(error, io);
  }
}
