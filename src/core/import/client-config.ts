import type { TransportType } from '../target.ts';
import {
  authOfHeaders,
  authOfProcess,
  checkUrl,
  type ImportedServer,
  isObject,
  type ServerImport,
  textOf,
  Unusable,
} from './imported.ts';
import { quoteCommand } from './quote-command.ts';
import { createVariableResolver, type EditorInput } from './resolve-variables.ts';

type Resolve = (text: string) => string;

const TRANSPORT_NAMES: Readonly<Record<string, TransportType>> = {
  stdio: 'stdio',
  local: 'stdio',
  http: 'http',
  'streamable-http': 'http',
  streamablehttp: 'http',
  streamable_http: 'http',
  remote: 'http',
  sse: 'sse',
  ws: 'websocket',
  websocket: 'websocket',
};

function namedTransport(entry: Record<string, unknown>): TransportType | undefined {
  const name = textOf(entry.type) ?? textOf(entry.transport) ?? textOf(entry.transportType);
  if (name === undefined) return undefined;
  const key = name.toLowerCase();
  const transport = Object.hasOwn(TRANSPORT_NAMES, key) ? TRANSPORT_NAMES[key] : undefined;
  if (transport === undefined) throw new Unusable(`its transport ${JSON.stringify(name)} is not known`);
  return transport;
}

/** A number as text: the file may have said 1.10 or 007, and nobody can tell any more. */
function readNumber(value: number | boolean, where: string, notes: Set<string>): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Unusable(`its ${where} is no number`);
  notes.add(`its ${where} is a ${typeof value}, taken as the text that it makes: write it in quotes`);
  return String(value);
}

/** Strings by name; numbers and booleans are written as text, with a note, and null means not set. */
function readTexts(
  value: unknown,
  what: string,
  resolve: Resolve,
  notes: Set<string>,
): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new Unusable(`its ${what} is not an object`);
  const entries = Object.entries(value).flatMap(([name, item]): [string, string][] => {
    if (item === null) return [];
    if (typeof item === 'string') return [[name, resolve(item)]];
    if (typeof item === 'number' || typeof item === 'boolean')
      return [[name, readNumber(item, `${what}.${name}`, notes)]];
    throw new Unusable(`its ${what}.${name} is not a string`);
  });
  return Object.fromEntries(entries);
}

function readArguments(value: unknown, resolve: Resolve, notes: Set<string>): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Unusable('its args is not a list');
  return value.map((item: unknown, index) => {
    if (typeof item === 'string') return resolve(item);
    if (typeof item === 'number') return readNumber(item, `args[${index}]`, notes);
    throw new Unusable('its args has an item that is not a string');
  });
}

function readCommand(
  entry: Record<string, unknown>,
  command: string,
  inputs: ReadonlyMap<string, EditorInput>,
  notes: Set<string>,
) {
  const resolve = createVariableResolver(inputs, notes);
  const env = readTexts(entry.env, 'env', resolve, notes);
  const resolveWord = createVariableResolver(inputs, notes, new Set(Object.keys(env)));
  const words = [resolve(command), ...readArguments(entry.args, resolveWord, notes)];
  if (words.some((word) => word.includes('\0'))) throw new Unusable('its command has a NUL character');
  if (textOf(entry.envFile) !== undefined)
    notes.add('its envFile is not read: add what it sets to auth_config.custom.env');
  const cwd = textOf(entry.cwd);
  return {
    endpointUrl: quoteCommand(words),
    transportType: 'stdio' as const,
    ...authOfProcess(env, cwd === undefined ? undefined : resolve(cwd)),
  };
}

function readEntry(name: string, entry: unknown, inputs: ReadonlyMap<string, EditorInput>): ImportedServer {
  if (name.trim() === '') throw new Unusable('it has no name');
  if (!isObject(entry)) throw new Unusable('it is not an object');
  if (entry.disabled === true || entry.enabled === false)
    throw new Unusable('it is switched off in the file');
  const notes = new Set<string>();
  const resolve = createVariableResolver(inputs, notes);
  const transport = namedTransport(entry);
  const command = textOf(entry.command);
  const rawUrl = textOf(entry.url) ?? textOf(entry.serverUrl) ?? textOf(entry.httpUrl);
  const about = {
    name,
    description: textOf(entry.description) ?? null,
    version: textOf(entry.version) ?? null,
  };
  if (rawUrl !== undefined && transport !== 'stdio') {
    const endpointUrl = resolve(rawUrl);
    const headers = readTexts(entry.headers, 'headers', resolve, notes);
    if (entry.oauth !== undefined || entry.auth !== undefined)
      notes.add('its sign-in is not imported: give the registry a token or client credentials');
    const transportType = checkUrl(endpointUrl, transport);
    return { ...about, endpointUrl, transportType, ...authOfHeaders(headers), notes: [...notes] };
  }
  if (command === undefined) throw new Unusable('it has neither a command nor a url');
  if (transport !== undefined && transport !== 'stdio')
    throw new Unusable(`its transport is ${transport}, and it has a command instead of a url`);
  return { ...about, ...readCommand(entry, command, inputs, notes), notes: [...notes] };
}

function readInputs(value: unknown): Map<string, EditorInput> {
  const inputs = new Map<string, EditorInput>();
  for (const item of Array.isArray(value) ? value : []) {
    if (!isObject(item) || typeof item.id !== 'string') continue;
    inputs.set(item.id, { description: textOf(item.description), fallback: textOf(item.default) });
  }
  return inputs;
}

/** The `mcpServers` of Claude Desktop, Cursor and others, or the `servers` of VS Code. */
export function readClientConfig(entries: Record<string, unknown>, inputs: unknown): ServerImport {
  const known = readInputs(inputs);
  const result: ServerImport = { servers: [], rejected: [] };
  for (const [name, entry] of Object.entries(entries)) {
    try {
      result.servers.push(readEntry(name, entry, known));
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      result.rejected.push({ name, reason: error.message });
    }
  }
  return result;
}
