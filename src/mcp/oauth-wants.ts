import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import type { Fault } from '../core/outcome.ts';
import type { ProbeContext } from './context.ts';
import { HttpExchange } from './transports/http-exchange.ts';

type Refusal = Extract<Fault, { kind: 'http' }>;

/** A server's metadata is small; a probe that is refused has better things to do than to wait for it. */
const ANSWER_WITHIN_MS = 1_500;
const MAX_NAMED = 5;
const MAX_LENGTH = 200;

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [])
    .filter((item) => typeof item === 'string' && item !== '' && item.length <= MAX_LENGTH)
    .slice(0, MAX_NAMED);

/** Without what may be secret in it; undefined for what is no URL of the web. */
function serverName(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, pathname } = new URL(text);
  return protocol === 'https:' || protocol === 'http:' ? `${protocol}//${host}${pathname}` : undefined;
}

/**
 * Which authorization servers and scopes a refusal asks for: from its challenge, and from the document that
 * the challenge names, when that is the target's own. undefined when it asks for nothing that we know.
 */
export async function readWants(
  refusal: Refusal,
  target: URL,
  context: ProbeContext,
  onExchange: (exchange: HttpExchange) => void,
): Promise<Refusal['wants']> {
  if (refusal.challenge === undefined) return undefined;
  const asked = readChallenge(refusal.challenge);
  const scopes = (asked.scope ?? '')
    .split(/\s+/)
    .filter((scope) => scope !== '' && scope.length <= MAX_LENGTH);
  const { resourceMetadataUrl } = asked;
  // Elsewhere would be a request that nobody registered.
  const own =
    resourceMetadataUrl && resourceMetadataUrl.host === target.host ? resourceMetadataUrl : undefined;
  const found = own ? await readMetadata(own, context, onExchange) : { servers: [], scopes: [] };
  const wants = {
    servers: found.servers,
    scopes: scopes.length > 0 ? scopes.slice(0, MAX_NAMED) : found.scopes,
  };
  return wants.servers.length + wants.scopes.length === 0 ? undefined : wants;
}

function readChallenge(challenge: string): ReturnType<typeof extractWWWAuthenticateParams> {
  try {
    const headers = new Headers({ 'www-authenticate': challenge });
    return extractWWWAuthenticateParams(new Response(null, { status: 401, headers }));
  } catch {
    // Not every value that a server may send is one that may be put into a header.
    return {};
  }
}

async function readMetadata(
  url: URL,
  context: ProbeContext,
  onExchange: (exchange: HttpExchange) => void,
): Promise<{ servers: string[]; scopes: string[] }> {
  const exchange = new HttpExchange(context);
  onExchange(exchange);
  const timer = setTimeout(() => exchange.abort(), ANSWER_WITHIN_MS);
  try {
    const { response } = await exchange.ask({ method: 'GET', url, headers: { accept: 'application/json' } });
    const text = await exchange.readExcerpt(response);
    const value: unknown = response.statusCode === 200 ? JSON.parse(text) : null;
    if (typeof value !== 'object' || value === null) return { servers: [], scopes: [] };
    const servers = textsOf(Reflect.get(value, 'authorization_servers')).flatMap(
      (name) => serverName(name) ?? [],
    );
    return { servers, scopes: textsOf(Reflect.get(value, 'scopes_supported')) };
  } catch {
    // The refusal is what happened; a document that cannot be read only explains it less well.
    return { servers: [], scopes: [] };
  } finally {
    clearTimeout(timer);
    exchange.abort();
    await exchange.dialer.close();
  }
}
