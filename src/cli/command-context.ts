import type { Command } from 'commander';
import type { Actions } from './actions.ts';
import type { CliIo } from './cli-io.ts';
import type { Progress } from './render/progress.ts';
import type { Style } from './render/style.ts';

/** What every command gets. */
export interface CommandContext {
  actions: Actions;
  io: CliIo;
  /** For standard output. */
  style: Style;
  /** On standard error, so that what is piped stays clean. */
  progress: Progress;
  /** The words after `--`; null when there is no `--`. */
  afterDashes: [string, ...string[]] | null;
  now(): number;
  /** The exit code of a command that ended well; the highest one counts. */
  exitWith(code: 0 | 1): void;
}

export type AddCommand = (program: Command, context: CommandContext) => void;

export function printJson({ io }: CommandContext, value: unknown): void {
  io.out.write(`${JSON.stringify(value, null, 2)}\n`);
}
