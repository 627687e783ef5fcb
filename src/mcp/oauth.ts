import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  auth,
  discoverOAuthServerInfo,
  extractWWWAuthenticateParams,
  type OAuthDiscoveryState,
} from '@modelcontextprotocol/sdk/client/auth.js';
import {
  ClientCredentialsProvider,
  type ClientCredentialsProviderOptions,
} from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { OAuthError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Credentials, ProbeTarget } from '../core/target.ts';
import type { ProbeContext } from './context.ts';
import { FaultError } from './fault-error.ts';
import { checkServer } from './oauth-server.ts';
import { HttpExchange } from './transports/http-exchange.ts';

type OAuthCredentials = Extract<Credentials, { kind: 'oauth' }>;

/** A token is renewed this long before it expires, so that it does not expire within a probe. */
const EXPIRY_MARGIN_MS = 30_000;
const DEFAULT_LIFETIME_MS = 5 * 60_000;
/** Metadata and tokens are a few kilobytes. */
const MAX_DOCUMENT_BYTES = 256 * 1024;
/** What a header can hold, and servers take. */
const SENDABLE_TOKEN = /^[\x21-\x7e]{1,65536}$/;
const MAX_TOKENS = 20_000;

/** A token is to be renewed when this share of its life is over, while it still serves. */
const RENEW_AFTER = 0.75;

/** A token that still serves; `isDue` when it is time for another one. */
export interface HeldToken {
  token: string;
  leftMs: number;
  isDue: boolean;
}

/** Access tokens in memory, each until it expires or a target refuses it. */
export class TokenCache {
  readonly #tokens = new Map<string, { token: string; dueAt: number; expiresAt: number }>();

  get(key: string): HeldToken | undefined {
    const held = this.#tokens.get(key);
    if (!held) return undefined;
    const now = Date.now();
    const { token, dueAt, expiresAt } = held;
    if (expiresAt > now) return { token, leftMs: expiresAt - now, isDue: now >= dueAt };
    this.#tokens.delete(key);
    return undefined;
  }

  set(key: string, token: string, lifetimeMs: number): void {
    // The oldest goes first: a Map keeps the order of insertion.
    if (this.#tokens.size >= MAX_TOKENS) {
      for (const oldest of this.#tokens.keys()) {
        this.#tokens.delete(oldest);
        break;
      }
    }
    this.#tokens.delete(key);
    const now = Date.now();
    this.#tokens.set(key, { token, dueAt: now + lifetimeMs * RENEW_AFTER, expiresAt: now + lifetimeMs });
  }

  delete(key: string): void {
    this.#tokens.delete(key);
  }
}

/** How long a token still serves, for people. */
export function describeLeft(leftMs: number): string {
  const hours = leftMs / 3_600_000;
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours >= 2 ? `${Math.floor(hours)} hours` : `${Math.ceil(leftMs / 60_000)} minutes`;
}

/** One key per server and credentials: changed credentials never meet a token of the old ones. */
export function tokenKey(target: ProbeTarget, credentials: OAuthCredentials): string {
  const url = target.endpoint.transport === 'stdio' ? '' : target.endpoint.url.href;
  const { clientId, clientSecret, scope, issuer } = credentials;
  const identity = JSON.stringify([target.id, url, clientId, clientSecret, scope, issuer]);
  return createHash('sha256').update(identity).digest('base64');
}

const asText = (body: RequestInit['body']) =>
  typeof body === 'string' || body instanceof URLSearchParams ? String(body) : undefined;

/** The SDK parses a document at once: one that would take long is none. */
async function readDocument(exchange: HttpExchange, response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await exchange.readChunks(response, (chunk) => {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES)
      throw new FaultError({
        kind: 'oauth',
        message: `the authorization server sent a document of more than ${MAX_DOCUMENT_BYTES} bytes`,
      });
    chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString('utf8');
}

/** The SDK's OAuth speaks fetch; this one keeps our policy, bounds, counters and deadline. */
function createFetch(exchange: HttpExchange, onDenied: (error: FaultError) => void): FetchLike {
  return async (url, init) => {
    const body = asText(init?.body);
    const headers = Object.fromEntries(new Headers(init?.headers));
    const method = init?.method === 'POST' ? 'POST' : 'GET';
    const ask = { method, url: new URL(url), headers, ...(body === undefined ? {} : { body }) } as const;
    const reply = await exchange.ask(ask).catch((error: unknown) => {
      // The SDK takes whatever goes wrong with a document for its absence, and asks elsewhere.
      if (error instanceof FaultError && error.fault.kind === 'egress') onDenied(error);
      throw error;
    });
    const text = await readDocument(exchange, reply.response);
    const status = reply.response.statusCode ?? 0;
    const bare = status === 204 || status === 304 || status < 200;
    const replyHeaders = new Headers();
    for (const [name, value] of Object.entries(reply.response.headers)) {
      if (value !== undefined) replyHeaders.set(name, Array.isArray(value) ? value.join(', ') : value);
    }
    return new Response(bare ? null : text, { status: status < 200 ? 502 : status, headers: replyHeaders });
  };
}

/**
 * Client credentials through the SDK: finds the authorization server from the target's 401 and its
 * well-known documents, and asks it for a token. Rejects with an `oauth`, `egress` or network fault.
 */
export async function requestToken(
  target: ProbeTarget,
  credentials: OAuthCredentials,
  challenge: string | undefined,
  context: ProbeContext,
  onExchange: (exchange: HttpExchange) => void,
): Promise<{ token: string; lifetimeMs: number }> {
  if (target.endpoint.transport === 'stdio') throw new Error('a stdio server is sent no token');
  const serverUrl = httpUrlOf(target.endpoint.url);
  const { clientId, clientSecret, scope, issuer } = credentials;
  const headers = new Headers(challenge === undefined ? {} : { 'www-authenticate': challenge });
  const asked = extractWWWAuthenticateParams(new Response(null, { status: 401, headers }));
  const exchange = new HttpExchange(context);
  onExchange(exchange);
  let denied: FaultError | undefined;
  const fetchFn = createFetch(exchange, (error) => {
    denied ??= error;
  });
  try {
    const found = await discoverOAuthServerInfo(serverUrl, {
      fetchFn,
      ...(asked.resourceMetadataUrl ? { resourceMetadataUrl: asked.resourceMetadataUrl } : {}),
    });
    checkServer(found, serverUrl, issuer);
    const provider = new KnownServerProvider(
      {
        clientId,
        clientSecret,
        // A registered issuer is the only one that may see the secret.
        expectedIssuer: issuer ?? found.authorizationServerUrl,
        ...(scope === undefined ? {} : { scope }),
      },
      found,
    );
    const scopeAsked = scope === undefined && asked.scope !== undefined ? { scope: asked.scope } : {};
    await auth(provider, { serverUrl, fetchFn, ...scopeAsked });
    const tokens = provider.tokens();
    if (!tokens?.access_token) throw new Error('the authorization server gave none');
    if (!SENDABLE_TOKEN.test(tokens.access_token))
      throw new Error('the one that the authorization server gave cannot be sent in a header');
    const grantedMs = tokens.expires_in === undefined ? DEFAULT_LIFETIME_MS : tokens.expires_in * 1000;
    const lifetimeMs = grantedMs - Math.min(EXPIRY_MARGIN_MS, grantedMs / 2);
    return { token: tokens.access_token, lifetimeMs: Math.max(0, lifetimeMs) };
  } catch (error) {
    throw denied ?? oauthFault(error);
  } finally {
    exchange.abort();
    await exchange.dialer.close();
  }
}

/** Client credentials for an authorization server that was found already: it is not looked for twice. */
class KnownServerProvider extends ClientCredentialsProvider {
  readonly #found: OAuthDiscoveryState;

  constructor(
    options: ClientCredentialsProviderOptions & { expectedIssuer: string },
    found: OAuthDiscoveryState,
  ) {
    super(options);
    this.#found = found;
  }

  discoveryState(): OAuthDiscoveryState {
    return this.#found;
  }
}

function httpUrlOf(url: URL): URL {
  const copy = new URL(url);
  // ws and wss are special schemes like http and https, so that the URL lets them be changed.
  if (copy.protocol === 'ws:') copy.protocol = 'http:';
  if (copy.protocol === 'wss:') copy.protocol = 'https:';
  copy.username = '';
  copy.password = '';
  return copy;
}

function oauthFault(error: unknown): FaultError {
  if (error instanceof FaultError) {
    const { kind, message } = error.fault;
    // Our own rules keep their reason; everything else is the authorization server's failure.
    if (kind === 'egress' || kind === 'limit' || kind === 'oauth') return error;
    return new FaultError({ kind: 'oauth', message: `the authorization server cannot be asked: ${message}` });
  }
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof OAuthError ? `${error.errorCode}: ` : '';
  const status = /HTTP (\d{3})/.exec(text)?.[1];
  const fault = { kind: 'oauth' as const, message: `no access token: ${code}${text}` };
  return new FaultError(status === undefined ? fault : { ...fault, status: Number(status) });
}
