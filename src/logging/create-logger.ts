import { type Logger, pino } from 'pino';
import { createPrettyStream, type LogStream } from './pretty-stream.ts';
import { redactLine } from './redact-line.ts';
import { createSecrets } from './secrets.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** auto: pretty when the stream is a terminal. */
  format: 'auto' | 'json' | 'pretty';
}

export interface LogSurroundings {
  /** Values to keep out of every line; those under six characters are ignored. */
  secrets?: readonly string[];
  /** Where lines go; standard output unless told. */
  stream?: LogStream & { isTTY?: boolean };
  /** Colours in pretty lines; where the stream is a terminal unless told. */
  color?: boolean;
}

export interface Logging {
  logger: Logger;
  /** Keeps one more value out of the lines, until the returned function is called. */
  addSecret(value: string): () => void;
}

/** The program's logger. Redaction works on finished lines, so nothing can go around it. */
export function createLogger(options: LogOptions, surroundings: LogSurroundings = {}): Logging {
  const { stream = process.stdout, color = stream.isTTY === true } = surroundings;
  const secrets = createSecrets(surroundings.secrets);
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && stream.isTTY === true);
  const logger = pino(
    {
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => redactLine(line, secrets) },
    },
    isPretty ? createPrettyStream(stream, color) : stream,
  );
  return { logger, addSecret: secrets.add };
}
