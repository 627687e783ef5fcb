import { createHash } from 'node:crypto';
import { splitCommandLine } from '../core/command-line.ts';
import type { SealingKey } from '../core/secrets/keys.ts';
import { isSealed, openConfig } from '../core/secrets/seal.ts';
import {
  type BadTarget,
  type Credentials,
  type Endpoint,
  ERAS,
  type EraChoice,
  type ProbeTarget,
  type RegistryServer,
  TRANSPORTS,
  type TransportType,
} from '../core/target.ts';
import { badAuth, credentialsOf, customOf } from './credentials.ts';
import { isLoopbackHost } from './loopback.ts';
import { tlsSettingsOf } from './tls-settings.ts';

/** What the command line says about a target besides its address. */
export interface TextTargetOptions {
  transport?: TransportType;
  era?: EraChoice;
  headers?: Record<string, string>;
  bearer?: string;
  timeoutMs: number;
  env?: Record<string, string>;
  cwd?: string;
}

const MIN_TIMEOUT_MS = 100;
/** A registered server may hold one of the worker's slots for this long, and no longer. */
const MAX_TIMEOUT_MS = 60_000;
/** Whoever types a target waits for nobody but himself. */
const MAX_TYPED_TIMEOUT_MS = 10 * 60_000;
const MAX_ENDPOINT_LENGTH = 8_192;
/** The longest name that DNS has; a longer one cannot be reached, and would be a key of any length. */
const MAX_HOST_LENGTH = 253;
const DEFAULT_PORTS: Record<string, string> = { 'http:': '80', 'ws:': '80', 'https:': '443', 'wss:': '443' };
const SCHEMES: Record<Exclude<TransportType, 'stdio'>, readonly string[]> = {
  http: ['http:', 'https:'],
  sse: ['http:', 'https:'],
  websocket: ['ws:', 'wss:', 'http:', 'https:'],
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isBad = (value: object): value is BadTarget => 'kind' in value && value.kind === 'config';
const isTransport = (text: string): text is TransportType => TRANSPORTS.some((known) => known === text);
/** A value that should be text, for a message; not every object can be turned into one. */
const named = (value: unknown) => (typeof value === 'string' ? value : 'no text');
const badEndpoint = (message: string): BadTarget => ({ kind: 'config', field: 'endpoint', message });

export interface TargetDefaults {
  timeoutMs: number;
  /** What opens sealed credentials. */
  secretKeys?: readonly SealingKey[];
}

/**
 * A target from a registry row; whatever is wrong with the row becomes a BadTarget, never a throw. Sealed
 * credentials stay sealed: the target that is given has none, and `reveal` opens them.
 */
export function targetOfServer(row: RegistryServer, defaults: TargetDefaults): ProbeTarget | BadTarget {
  const { authConfig } = row;
  if (!isSealed(authConfig)) return readTarget(row, defaults);
  const bare = readTarget({ ...row, authType: 'none', authConfig: null }, defaults);
  if ('kind' in bare) return bare;
  return { ...bare, reveal: () => revealTarget(row, authConfig, defaults) };
}

function revealTarget(
  row: RegistryServer,
  sealed: Record<string, unknown>,
  defaults: TargetDefaults,
): ProbeTarget | BadTarget {
  const place = { serverId: row.id, tenantId: row.tenantId ?? null };
  const opened = openConfig(sealed, defaults.secretKeys ?? [], place);
  if ('problem' in opened) return { kind: 'config', field: 'secret', message: opened.problem };
  return readTarget({ ...row, authConfig: opened.authConfig }, defaults);
}

function readTarget(row: RegistryServer, defaults: TargetDefaults): ProbeTarget | BadTarget {
  const { id, name, endpointUrl, transportType, authType, authConfig, settings, era } = row;
  if (typeof transportType !== 'string' || !isTransport(transportType)) {
    return { kind: 'config', field: 'transport', message: `transport_type is ${named(transportType)}` };
  }
  if (typeof endpointUrl !== 'string' || endpointUrl.length > MAX_ENDPOINT_LENGTH) {
    return badEndpoint('endpoint_url is missing or too long');
  }
  const credentials = credentialsOf(named(authType), authConfig);
  if (isBad(credentials)) return credentials;
  const custom = customOf(authConfig);
  if (isBad(custom)) return custom;
  const rest = {
    id,
    name,
    era: ERAS.find((known) => known === era) ?? ('auto' as const),
    timeoutMs: timeoutOf(settings, defaults.timeoutMs),
  };
  if (transportType !== 'stdio') {
    const reached = urlEndpoint(transportType, endpointUrl, credentials);
    if (isBad(reached)) return reached;
    const tls = tlsSettingsOf(custom);
    if (tls === undefined) return { ...rest, ...reached };
    if (isBad(tls)) return tls;
    const { endpoint } = reached;
    if (endpoint.transport !== 'stdio' && !['https:', 'wss:'].includes(endpoint.url.protocol))
      return badAuth('auth_config.custom.tls is given, and endpoint_url is neither https nor wss');
    return { ...rest, ...reached, tls };
  }
  const split = splitCommandLine(endpointUrl);
  if ('problem' in split) return badEndpoint(`the command line cannot be read: ${split.problem}`);
  const place = stdioPlaceOf(authConfig);
  if (isBad(place)) return place;
  const endpoint = commandEndpoint(split.words, place);
  return isBad(endpoint) ? endpoint : { ...rest, endpoint, credentials };
}

/** A target as typed: one URL, or the words of a command. */
export function targetOfText(text: string[], options: TextTargetOptions): ProbeTarget | BadTarget {
  const [first = ''] = text;
  const scheme = text.length === 1 ? /^([a-z][a-z0-9+.-]*):\/\//i.exec(first)?.[1]?.toLowerCase() : undefined;
  const rest = {
    id: text.join(' '),
    name: text.join(' '),
    era: options.era ?? ('auto' as const),
    timeoutMs: clampTimeout(options.timeoutMs, MAX_TYPED_TIMEOUT_MS),
  };
  const custom = { headers: options.headers ?? {} };
  const credentials =
    options.bearer === undefined
      ? credentialsOf('custom', { custom })
      : credentialsOf('bearer', { bearerToken: options.bearer, custom });
  if (isBad(credentials)) return credentials;
  if (scheme !== undefined && options.transport !== 'stdio') {
    const transport = options.transport ?? (scheme === 'ws' || scheme === 'wss' ? 'websocket' : 'http');
    const reached = urlEndpoint(transport, first, credentials);
    return isBad(reached) ? reached : { ...rest, ...reached };
  }
  if (options.transport !== undefined && options.transport !== 'stdio') {
    return badEndpoint(`${options.transport} needs a URL`);
  }
  // One word with blanks in it is a whole command line that was quoted.
  const split = text.length === 1 ? splitCommandLine(first) : { words: text };
  if ('problem' in split) return badEndpoint(`the command line cannot be read: ${split.problem}`);
  const place = { env: options.env ?? {}, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) };
  const endpoint = commandEndpoint(split.words, place);
  return isBad(endpoint) ? endpoint : { ...rest, endpoint, credentials };
}

/**
 * What a server shares with others, for the bound on probes at once: its host name, whatever the port, as
 * one machine answers on all of them. A loopback address keeps its port: a local fleet is many servers on
 * one machine that is ours. `stdio` for commands, and never more than 255 characters.
 */
export function hostKeyOf(row: Pick<RegistryServer, 'id' | 'endpointUrl' | 'transportType'>): string {
  if (row.transportType === 'stdio') return 'stdio';
  const url = parseUrl(row.endpointUrl);
  const host = url?.hostname.toLowerCase().replace(/\.$/, '') ?? '';
  if (!url || host === '' || host.length > MAX_HOST_LENGTH) return `server ${shortId(row.id)}`;
  if (!isLoopbackHost(host)) return host;
  return `${host}:${url.port || DEFAULT_PORTS[url.protocol] || ''}`;
}

/** Whether a host key is of this machine: a command, or a loopback address. */
export function isLoopbackKey(hostKey: string): boolean {
  return hostKey === 'stdio' || isLoopbackHost(hostKey.replace(/:\d*$/, ''));
}

const shortId = (id: string) =>
  id.length <= 64 ? id : createHash('sha256').update(id).digest('hex').slice(0, 32);

function urlEndpoint(
  transport: Exclude<TransportType, 'stdio'>,
  text: string,
  credentials: Credentials,
): Pick<ProbeTarget, 'endpoint' | 'credentials'> | BadTarget {
  const url = parseUrl(text);
  if (!url) return badEndpoint('endpoint_url is no URL');
  const schemes = SCHEMES[transport];
  if (!schemes.includes(url.protocol)) {
    const wanted = schemes.map((scheme) => `${scheme}//`).join(', ');
    return badEndpoint(`endpoint_url begins with ${url.protocol}//, and ${transport} needs one of ${wanted}`);
  }
  if (url.hostname === '') return badEndpoint('endpoint_url names no host');
  if (url.hostname.replace(/\.$/, '').length > MAX_HOST_LENGTH) {
    return badEndpoint(`endpoint_url names a host of more than ${MAX_HOST_LENGTH} characters`);
  }
  if (url.hash !== '') url.hash = '';
  if (transport === 'websocket' && url.protocol.startsWith('http'))
    url.protocol = url.protocol.replace('http', 'ws');
  const endpoint: Endpoint = { transport, url };
  if (url.username === '' && url.password === '') return { endpoint, credentials };
  const withUser = withUserinfo(url, credentials);
  return isBad(withUser) ? withUser : { endpoint, credentials: withUser };
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** A user and password in the URL become the header that they mean, and leave the URL. */
function withUserinfo(url: URL, credentials: Credentials): Credentials | BadTarget {
  let userinfo: string;
  try {
    userinfo = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    return badAuth('the user or password in endpoint_url is not percent-encoded as it should be');
  }
  url.username = '';
  url.password = '';
  const basic = `Basic ${Buffer.from(userinfo).toString('base64')}`;
  if (credentials.kind === 'oauth') return credentials;
  const headers = credentials.kind === 'headers' ? credentials.headers : {};
  return { kind: 'headers', headers: { authorization: basic, ...headers } };
}

function commandEndpoint(words: string[], place: StdioPlace): Endpoint | BadTarget {
  const [command, ...args] = words;
  if (!command) return badEndpoint('the command line is empty');
  if (words.some((word) => word.includes('\0'))) return badEndpoint('the command line holds a NUL character');
  return { transport: 'stdio', command, args, ...place };
}

interface StdioPlace {
  env: Record<string, string>;
  cwd?: string;
}

function stdioPlaceOf(authConfig: unknown): StdioPlace | BadTarget {
  const custom = customOf(authConfig);
  if (isBad(custom)) return custom;
  const { env, cwd } = custom;
  if (cwd !== undefined && cwd !== null && (typeof cwd !== 'string' || cwd === '' || cwd.includes('\0'))) {
    return badAuth('auth_config.custom.cwd is no path');
  }
  const clean: Record<string, string> = {};
  if (env !== undefined && env !== null) {
    if (!isObject(env)) return badAuth('auth_config.custom.env is no object');
    for (const [name, value] of Object.entries(env)) {
      const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
      if (text === undefined || text.includes('\0') || /[=\0]/.test(name) || name === '') {
        return badAuth('auth_config.custom.env holds a variable that cannot be set');
      }
      clean[name] = text;
    }
  }
  return typeof cwd === 'string' ? { env: clean, cwd } : { env: clean };
}

function timeoutOf(settings: unknown, defaultMs: number): number {
  const timeout = isObject(settings) ? settings.timeout : undefined;
  const wantedMs = typeof timeout === 'number' && timeout > 0 ? timeout : defaultMs;
  return clampTimeout(wantedMs, MAX_TIMEOUT_MS);
}

function clampTimeout(timeoutMs: number, maxMs: number): number {
  return Number.isNaN(timeoutMs) ? maxMs : Math.min(Math.max(timeoutMs, MIN_TIMEOUT_MS), maxMs);
}
