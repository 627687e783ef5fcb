import { InvalidArgumentError, Option } from 'commander';
import { TRANSPORTS } from '../core/target.ts';
import { type CliIo, UsageError } from './cli-io.ts';

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function parseInteger(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It has to be a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** `Name: value`, once for each use; the value is never repeated in an error. */
function collectHeader(text: string, headers: Record<string, string> | undefined): Record<string, string> {
  const [, name = '', value = ''] = /^([^:]*):\s*(.*)$/s.exec(text) ?? [];
  // Not commander's own error, which repeats what was typed.
  if (!HEADER_NAME.test(name)) throw new UsageError('--header has to look like "Name: value"');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a header must not hold them
  if (/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(value))
    throw new UsageError('the value of --header has a character that no header may hold');
  return { ...headers, [name]: value.trim() };
}

/** `NAME=value`, once for each use. */
export function collectVariable(
  text: string,
  variables: Record<string, string> | undefined,
): Record<string, string> {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new UsageError('--env has to look like NAME=value');
  return { ...variables, [name]: value };
}

/** A name or an id: anything but nothing. */
export function parseName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

export function collectText(text: string, all: string[] | undefined): string[] {
  return [...(all ?? []), text];
}

/** A secret as given, or, as `env:NAME`, from the environment, where `ps` does not show it. */
export function readSecret(given: string, option: string, environment: CliIo['environment']): string {
  const name = /^env:(.*)$/s.exec(given)?.[1];
  const value = name === undefined ? given : environment[name];
  if (value === undefined || value === '')
    throw new UsageError(
      name === undefined ? `${option} is empty` : `${option}: the environment variable ${name} is not set`,
    );
  if (/[\r\n\0]/.test(value)) throw new UsageError(`${option} has a control character`);
  return value;
}

export const jsonOption = () => new Option('--json', 'print JSON for programs');
export const transportOption = () =>
  new Option('--transport <transport>', 'how to reach it, where the address does not say').choices(
    TRANSPORTS,
  );
export const headerOption = () =>
  new Option('--header <header>', 'a header to send, as "Name: value"; may be given again').argParser(
    collectHeader,
  );
