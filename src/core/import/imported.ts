import type { TransportType } from '../target.ts';

/** The columns of a registry row that a file can tell; the importer adds ids, owner and defaults. */
export interface ImportedServer {
  name: string;
  description: string | null;
  /** null when the file does not say: it is learnt from the server. */
  version: string | null;
  endpointUrl: string;
  transportType: TransportType;
  authType: 'none' | 'bearer' | 'api_key' | 'custom';
  authConfig: ImportedAuth | null;
  /** What the user should know or do about it; never a secret. */
  notes: string[];
}

export interface ImportedAuth {
  bearerToken?: string;
  apiKey?: string;
  custom?: { headers?: Record<string, string>; env?: Record<string, string>; cwd?: string };
}

export interface RejectedServer {
  name: string;
  reason: string;
}

export interface ServerImport {
  servers: ImportedServer[];
  rejected: RejectedServer[];
}

/** Thrown and caught inside the parser: this one server cannot be imported, and why. */
export class Unusable extends Error {}

type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** Rejects what cannot be a URL of its transport, and finds the transport where the file leaves it open. */
export function checkUrl(text: string, transport: TransportType | undefined): TransportType {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Unusable('its URL is not a valid URL');
  }
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  const isSocket = url.protocol === 'ws:' || url.protocol === 'wss:';
  if (!isWeb && !isSocket) throw new Unusable(`its URL has the scheme ${url.protocol.slice(0, -1)}`);
  if (transport === undefined) return isSocket ? 'websocket' : url.pathname.endsWith('/sse') ? 'sse' : 'http';
  if ((transport === 'websocket') !== isSocket)
    throw new Unusable(`its URL has the scheme ${url.protocol.slice(0, -1)}, its transport is ${transport}`);
  return transport;
}

/** Headers in the form that the registry keeps credentials in. */
export function authOfHeaders(
  headers: Record<string, string>,
): Pick<ImportedServer, 'authType' | 'authConfig'> {
  const entries = Object.entries(headers);
  const [only] = entries;
  if (only === undefined) return { authType: 'none', authConfig: null };
  const [name, value] = only;
  if (entries.length === 1) {
    const token = /^bearer\s+(\S+)$/i.exec(value.trim())?.[1];
    if (name.toLowerCase() === 'authorization' && token !== undefined)
      return { authType: 'bearer', authConfig: { bearerToken: token } };
    if (name.toLowerCase() === 'x-api-key') return { authType: 'api_key', authConfig: { apiKey: value } };
  }
  return { authType: 'custom', authConfig: { custom: { headers } } };
}

/** Environment and folder of a stdio server in the form that the registry keeps them in. */
export function authOfProcess(
  env: Record<string, string>,
  cwd: string | undefined,
): Pick<ImportedServer, 'authType' | 'authConfig'> {
  const custom: ImportedAuth['custom'] = {};
  if (Object.keys(env).length > 0) custom.env = env;
  if (cwd !== undefined) custom.cwd = cwd;
  return Object.keys(custom).length === 0
    ? { authType: 'none', authConfig: null }
    : { authType: 'custom', authConfig: { custom } };
}
