import type { IncomingMessage } from 'node:http';
import type { Fault, Phase } from '../../core/outcome.ts';
import { FaultError, type RpcProblem } from '../fault-error.ts';

const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/** Retry-After as milliseconds from now: it is either seconds or a date. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

/** The JSON-RPC error in a body, if that is what it is. */
export function rpcProblemOf(body: string): RpcProblem | undefined {
  if (!body.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
    const { error } = value;
    if (typeof error !== 'object' || error === null) return undefined;
    if (!('code' in error) || typeof error.code !== 'number') return undefined;
    const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
    return { code: error.code, message };
  } catch {
    // Not JSON: then it is no JSON-RPC error either, and the status alone says what happened.
    return undefined;
  }
}

const PLAIN_TEXT = /^(text\/plain|application\/([\w.+-]+\+)?json)\b/i;

/** Where a redirect leads, without what may be secret in it. */
function leadsTo(status: number, location: string | undefined): string {
  if (status < 300 || status > 399 || location === undefined) return '';
  if (!URL.canParse(location)) return `, to ${location.replace(/[?#].*$/s, '')}`;
  const { host, protocol, pathname } = new URL(location);
  return `, to ${protocol}//${host}${pathname}`;
}

/**
 * An HTTP status that is no answer, with all that its headers tell. The body is told whole: it is cut
 * where secrets are hidden, as a secret that was cut in two would not be known any more.
 */
export function httpFault(response: IncomingMessage, phase: Phase, asked: string, body: string): FaultError {
  const status = response.statusCode ?? 0;
  const { headers } = response;
  const rpc = rpcProblemOf(body);
  const said = rpc
    ? `JSON-RPC error ${rpc.code}: ${rpc.message}`
    : PLAIN_TEXT.test(headers['content-type'] ?? '')
      ? body
      : '';
  const fault: Fault = {
    kind: 'http',
    phase,
    status,
    message:
      `${asked} was answered ${status} ${response.statusMessage ?? ''}`.trimEnd() +
      leadsTo(status, headers.location) +
      (said && `: ${said}`),
  };
  const retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now());
  if (headers['www-authenticate'] !== undefined) fault.challenge = headers['www-authenticate'];
  if (headers.location !== undefined) fault.location = headers.location;
  if (retryAfterMs !== undefined) fault.retryAfterMs = retryAfterMs;
  return new FaultError(fault, rpc);
}
