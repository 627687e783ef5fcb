import type { Credentials, ProbeTarget } from '../core/target.ts';
import type { ProbeContext } from './context.ts';
import { faultOf } from './fault-of.ts';
import { describeLeft, requestToken, type TokenCache, tokenKey } from './oauth.ts';
import type { HttpExchange } from './transports/http-exchange.ts';

/** What is left of the probe's time when a renewal is given up, so that it does not look like an outage. */
const SPARE_MS = 50;

/**
 * Gets the next token while the one that is held still serves. Gives the new one, or in words why there is
 * none and how long the old one serves; null when it is not time yet.
 */
export async function renewToken(
  target: ProbeTarget,
  credentials: Extract<Credentials, { kind: 'oauth' }>,
  tokens: TokenCache,
  context: ProbeContext,
  onExchange: (exchange: HttpExchange) => void,
): Promise<{ token: string } | { problem: string } | null> {
  const key = tokenKey(target, credentials);
  const held = tokens.get(key);
  if (!held?.isDue) return null;
  const { watch } = context;
  watch.enter('auth');
  let asked: HttpExchange | undefined;
  const leftMs = Math.max(0, target.timeoutMs - watch.elapsedMs - SPARE_MS);
  const timer = setTimeout(() => asked?.abort(), leftMs);
  try {
    const granted = await requestToken(target, credentials, undefined, context, (exchange) => {
      asked = exchange;
      onExchange(exchange);
    });
    tokens.set(key, granted.token, granted.lifetimeMs);
    return { token: granted.token };
  } catch (error) {
    const left = describeLeft(held.leftMs);
    const { message } = faultOf(error, null, watch.phase);
    return { problem: `the access token serves for ${left} more, and another one cannot be had: ${message}` };
  } finally {
    clearTimeout(timer);
  }
}
