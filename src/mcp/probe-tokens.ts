import type { Fault } from '../core/outcome.ts';
import type { Credentials, ProbeTarget } from '../core/target.ts';
import type { ProbeContext } from './context.ts';
import { requestToken, type TokenCache, tokenKey } from './oauth.ts';
import { readWants } from './oauth-wants.ts';
import { renewToken } from './renew-token.ts';
import type { HttpExchange } from './transports/http-exchange.ts';

type OAuthCredentials = Extract<Credentials, { kind: 'oauth' }>;
type Refusal = Extract<Fault, { kind: 'http' }>;

/** The access tokens of one probe: what it holds, asks for and renews. */
export class ProbeTokens {
  /** Every token of this probe, so that none of them is shown. */
  readonly issued: string[] = [];
  /** The exchange with an authorization server that is, or was, under way. */
  #exchange: HttpExchange | null = null;
  readonly #cache: TokenCache;
  readonly #context: ProbeContext;

  constructor(cache: TokenCache, context: ProbeContext) {
    this.#cache = cache;
    this.#context = context;
  }

  /** What every request to the target carries. */
  headersFor(target: ProbeTarget): Record<string, string> {
    const { credentials } = target;
    const headers = { ...(credentials.kind === 'none' ? {} : credentials.headers) };
    if (credentials.kind !== 'oauth') return headers;
    // A token that was granted in this probe serves it, however short its life is.
    const token = this.issued.at(-1) ?? this.#cache.get(tokenKey(target, credentials))?.token;
    if (token === undefined) return headers;
    this.issued.push(token);
    return { ...headers, authorization: `Bearer ${token}` };
  }

  /** A refusal with what it asks for, where it says. */
  async withWants(fault: Refusal, { endpoint }: ProbeTarget): Promise<Fault> {
    if (endpoint.transport === 'stdio') return fault;
    const wants = await readWants(fault, endpoint.url, this.#context, this.#keep);
    return wants ? { ...fault, wants } : fault;
  }

  /** Gets a token, after the target refused to answer without one, or with the one it was shown. */
  async authorize(target: ProbeTarget, credentials: OAuthCredentials, challenge?: string): Promise<void> {
    const key = tokenKey(target, credentials);
    this.#cache.delete(key);
    const granted = await requestToken(target, credentials, challenge, this.#context, this.#keep);
    this.issued.push(granted.token);
    this.#cache.set(key, granted.token, granted.lifetimeMs);
  }

  /** Gets the next token when it is time; resolves with what went wrong with that, in words. */
  async renew(target: ProbeTarget, credentials: OAuthCredentials): Promise<string | null> {
    const renewed = await renewToken(target, credentials, this.#cache, this.#context, this.#keep);
    if (renewed === null) return null;
    if ('problem' in renewed) return renewed.problem;
    this.issued.push(renewed.token);
    return null;
  }

  /** Gives up what is asked of an authorization server, and resolves when its sockets are closed. */
  async end(): Promise<void> {
    this.#exchange?.abort();
    await this.#exchange?.dialer.close();
  }

  readonly #keep = (exchange: HttpExchange): void => {
    this.#exchange = exchange;
  };
}
