import type { ProbeTarget } from '../core/target.ts';

const SECRET_NAME = /key|token|secret|auth|sig|passw|pwd|credential/i;
/** Bounded, as an argument may be of megabytes: each place in it is looked at once. */
const URL_IN_TEXT = /[a-z][a-z0-9+.-]{0,20}:\/\/\S+/gi;
/** Header values end up in arguments as `Name: value`, variables as `NAME=value`. */
const NAMED_VALUE = /^-{0,2}(\w[\w.-]{0,100})(?:=|:\s{0,9})(\S.*)$/s;
const MIN_OPAQUE_LENGTH = 16;

/** A value that nobody would type: long, and of letters and digits. */
const looksOpaque = (value: string) =>
  value.length >= MIN_OPAQUE_LENGTH && /\p{L}/u.test(value) && /\d/.test(value);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a header with credentials hides: its value, the value without its scheme, and what Basic encodes. */
function* ofHeader(value: string): Generator<string> {
  yield value;
  const [, scheme, rest] = /^(\S+)\s+(.+)$/.exec(value) ?? [];
  if (scheme === undefined || rest === undefined) return;
  yield rest;
  if (scheme.toLowerCase() !== 'basic') return;
  const pair = Buffer.from(rest, 'base64').toString('utf8');
  yield pair;
  yield pair.slice(pair.indexOf(':') + 1);
}

/** What a URL may hide: its password, the values of its query, and path segments that nobody would type. */
function* ofUrl(url: URL): Generator<string> {
  if (url.password !== '') {
    const pair = `${decoded(url.username)}:${decoded(url.password)}`;
    yield* [url.password, decoded(url.password), pair, Buffer.from(pair).toString('base64')];
  }
  if (url.search !== '') {
    for (const value of url.searchParams.values()) yield value;
    // The same as written: a server may repeat its address without decoding it.
    for (const part of url.search.slice(1).split('&')) yield part.slice(part.indexOf('=') + 1);
  }
  for (const segment of url.pathname.split('/')) {
    if (looksOpaque(segment)) yield* [segment, decoded(segment)];
  }
}

function* ofArguments(args: readonly string[]): Generator<string> {
  for (const [index, arg] of args.entries()) {
    for (const [text] of arg.matchAll(URL_IN_TEXT)) if (URL.canParse(text)) yield* ofUrl(new URL(text));
    const [, name, value] = NAMED_VALUE.exec(arg) ?? [];
    if (name !== undefined && value !== undefined) {
      if (SECRET_NAME.test(name)) yield* ofHeader(value);
    } else if (arg.startsWith('-') && SECRET_NAME.test(arg)) {
      yield* ofHeader(args[index + 1] ?? '');
    }
  }
}

/** What the arguments of a call may hide: values that are named like a secret, or look like one. */
export function* secretsOfCall(args: unknown, name = ''): Generator<string> {
  if (typeof args === 'string' && (SECRET_NAME.test(name) || looksOpaque(args))) yield* ofHeader(args);
  if (typeof args !== 'object' || args === null) return;
  for (const [member, value] of Object.entries(args)) {
    yield* secretsOfCall(value, Array.isArray(args) ? name : member);
  }
}

/** Every secret that a target brings: its headers, its environment, and what its address carries. */
export function* secretsOf({ endpoint, credentials, tls }: ProbeTarget): Generator<string> {
  if (credentials.kind !== 'none') {
    for (const value of Object.values(credentials.headers ?? {})) yield* ofHeader(value);
  }
  if (credentials.kind === 'oauth') {
    const { clientId, clientSecret } = credentials;
    yield clientSecret;
    yield Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  }
  if (tls?.passphrase !== undefined) yield tls.passphrase;
  for (const line of tls?.key?.split('\n') ?? []) if (looksOpaque(line)) yield line;
  if (endpoint.transport === 'stdio') {
    yield* Object.values(endpoint.env);
    yield* ofArguments(endpoint.args);
  } else {
    yield* ofUrl(endpoint.url);
  }
}
