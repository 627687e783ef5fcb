import { quoteCommand } from '../core/import/quote-command.ts';
import type { TransportType } from '../core/target.ts';
import { stripCredentials } from '../logging/strip-credentials.ts';
import type { CommandTarget } from './actions.ts';
import { UsageError } from './cli-io.ts';

const SCHEMES = ['http:', 'https:', 'ws:', 'wss:'];

function checkUrl(text: string, command: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && SCHEMES.includes(url.protocol) && url.hostname !== '') return text;
  throw new UsageError(
    `the target has to be a URL with http://, https://, ws:// or wss://; for a command write: mcp-vitals ${command} -- command arguments…`,
  );
}

/**
 * A target as it was typed: one URL, or the words of a command after `--`.
 * `operands` are the words that belong to the command line itself, those after `--` included.
 */
export function parseTarget(
  operands: readonly string[],
  afterDashes: [string, ...string[]] | null,
  { command, transport }: { command: string; transport: TransportType | undefined },
): CommandTarget {
  const before = operands.slice(0, operands.length - (afterDashes?.length ?? 0));
  if (afterDashes) {
    if (before.length > 0) throw new UsageError('give either a URL or, after --, a command: not both');
    if (transport !== undefined && transport !== 'stdio')
      throw new UsageError(`a command is reached over stdio, not over ${transport}`);
    if (afterDashes[0].trim() === '') throw new UsageError('the command after -- is empty');
    return { kind: 'command', words: afterDashes };
  }
  const [text, ...more] = before;
  if (text === undefined) throw new UsageError('give a target: a URL or, after --, a command');
  if (more.length > 0)
    throw new UsageError(
      `give one target; for a command write: mcp-vitals ${command} -- ${quoteCommand(before)}`,
    );
  const url = checkUrl(text, command);
  const isWebSocket = /^wss?:/i.test(url);
  if (isWebSocket && (transport === 'http' || transport === 'sse'))
    throw new UsageError(`${transport} wants a URL with http:// or https://`);
  if (transport === 'stdio') throw new UsageError('stdio wants a command after --, not a URL');
  return { kind: 'url', url };
}

/** The target for people: no credentials in it. */
export function describeTarget(target: CommandTarget): string {
  return target.kind === 'url' ? stripCredentials(target.url) : stripCredentials(quoteCommand(target.words));
}
