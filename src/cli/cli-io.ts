export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** The world around a command, so that tests can be it. */
export interface CliIo {
  out: Output;
  err: Output;
  /** For NO_COLOR and `--bearer env:NAME`. */
  environment: Readonly<Record<string, string | undefined>>;
  readFile(path: string): Promise<string>;
}

/** Wrong usage: the message is shown and the exit code is 2. */
export class UsageError extends Error {}

/** A failure that has been told already, or is told by its message alone: the exit code is 1. */
export class CommandFailed extends Error {}
