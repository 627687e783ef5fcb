import type { IncomingMessage } from 'node:http';

export type HttpHeaders = Record<string, string>;

export interface HttpAsk {
  method: 'GET' | 'POST' | 'DELETE';
  url: URL;
  /** Names in lower case. */
  headers: HttpHeaders;
  body?: string;
}

/** Whether `to` is where `from` is, or the same host moved from http to https on the default ports. */
export function staysWithin(from: URL, to: URL): boolean {
  if (to.username !== from.username || to.password !== from.password) return false;
  if (from.origin === to.origin) return true;
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:';
  return upgraded && from.hostname === to.hostname && from.port === '' && to.port === '';
}

/** The parts of a URL that a request needs; taking a URL apart costs more than all the rest of it. */
export interface Site {
  url: URL;
  secure: boolean;
  host: string;
  port: number;
  path: string;
  hostHeader: string;
}

export function siteOf(url: URL): Site {
  const secure = url.protocol === 'https:';
  return {
    url,
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    hostHeader: url.host,
  };
}

/** Header lines as Node takes them without storing each one by one; a `host` or `user-agent` of the caller's wins. */
export function headerLines(
  headers: HttpHeaders,
  { hostHeader }: Site,
  userAgent: string,
  body?: string,
): string[] {
  const lines = ['accept-encoding', 'identity'];
  if (headers['user-agent'] === undefined) lines.push('user-agent', userAgent);
  if (headers.host === undefined) lines.push('host', hostHeader);
  for (const name in headers) lines.push(name, headers[name] ?? '');
  if (body !== undefined) lines.push('content-length', String(Buffer.byteLength(body)));
  return lines;
}

/** Where a redirect may be followed to: the same origin, with the method kept. */
export function followable(response: IncomingMessage, method: string, from: URL): URL | undefined {
  const { statusCode, headers } = response;
  const keepsMethod = statusCode === 307 || statusCode === 308;
  const plain = method === 'GET' && (statusCode === 301 || statusCode === 302 || statusCode === 303);
  if (!(keepsMethod || plain) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, from.href)) return undefined;
  const to = new URL(headers.location, from);
  return staysWithin(from, to) ? to : undefined;
}
