import type { Socket } from 'node:net';
import { z } from 'zod';
import { EMBEDDED_ERROR_CODES } from '../errors.ts';

/** What the keeper tells its users, one JSON object a line. */
export const keeperMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello') }),
  z.object({ type: z.literal('progress'), line: z.string() }),
  z.object({ type: z.literal('ready'), pid: z.number(), url: z.string() }),
  z.object({ type: z.literal('failed'), code: z.enum(EMBEDDED_ERROR_CODES), message: z.string() }),
  /** The keeper lets this user go, in good order. */
  z.object({ type: z.literal('bye') }),
]);
export type KeeperMessage = z.infer<typeof keeperMessage>;

/** What a user tells the keeper: first who it is, in the end that it goes. */
export const userMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('join'), token: z.string() }),
  z.object({ type: z.literal('leave') }),
]);
export type UserMessage = z.infer<typeof userMessage>;

export function send(socket: Socket, message: KeeperMessage | UserMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** More than this without an end of line is none of our messages. */
const LONGEST_LINE = 64 * 1024;

/** Calls back for every line that is such a message; anything else ends the connection. */
export function onMessages<T>(socket: Socket, schema: z.ZodType<T>, handle: (message: T) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) socket.destroy();
    for (const line of lines) {
      const message = parse(line, schema);
      if (message === undefined) socket.destroy();
      else handle(message);
    }
  });
}

function parse<T>(line: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(line));
  } catch {
    return undefined; // not one of ours
  }
}
