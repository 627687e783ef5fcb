import pretty from 'pino-pretty';

export interface LogStream {
  write(line: string): unknown;
}

/** Escapes that JSON.stringify makes of control characters, and the two-byte ones it leaves alone. */
const CONTROL = /\\(?:\\|u00[0-9a-f]{2}|[bfr])|[\u007f-\u009f]/g;

/** Keeps control characters visible as text: what a target sent must not steer our terminal. */
function disarmControls(line: string): string {
  return line.replace(CONTROL, (match) => {
    if (match === '\\\\') return match;
    if (match.startsWith('\\')) return `\\${match}`;
    return `\\\\u00${match.charCodeAt(0).toString(16)}`;
  });
}

/** A stream that takes JSON lines and writes them for people, at once and in this thread. */
export function createPrettyStream(destination: LogStream, colorize: boolean): LogStream {
  const format = pretty.prettyFactory({
    colorize,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: (line) => destination.write(format(disarmControls(line))) };
}
