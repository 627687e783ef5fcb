import { parse } from 'tldts';
import type { SharedParts } from './shared-parts.ts';

/** A name of anybody's choice: longer than this it names nothing that is shared. */
const MAX_LENGTH = 300;

/**
 * What a server shares with others. `hostKey` is the key of its host, as probes are counted by (`stdio` and
 * the keys of servers without a host share nothing); auth_config may hold anything.
 */
export function sharedPartsOf(server: {
  hostKey: string;
  authConfig: unknown;
  certificateIssuer: string | null;
}): SharedParts {
  const isHost = server.hostKey !== 'stdio' && !server.hostKey.includes(' ') && server.hostKey !== '';
  const host = isHost ? server.hostKey : null;
  return {
    host,
    domain: host === null ? null : domainOf(host),
    certificateIssuer: bounded(server.certificateIssuer),
    tokenIssuer: issuerOf(server.authConfig),
  };
}

/** The part of a name that is bought; an address has none, nor has a name of the local machine. */
function domainOf(host: string): string | null {
  const { domain, isIp } = parse(host, { allowPrivateDomains: true, validateHostname: false });
  return isIp === true ? null : domain;
}

function issuerOf(authConfig: unknown): string | null {
  const oauth = propertyOf(authConfig, 'oauth');
  const issuer = propertyOf(oauth, 'issuer');
  if (typeof issuer !== 'string' || !URL.canParse(issuer)) return null;
  const { origin, pathname } = new URL(issuer);
  return origin === 'null' ? null : bounded(`${origin}${pathname.replace(/\/$/, '')}`);
}

function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string, unknown>)[name];
}

function bounded(text: string | null): string | null {
  const clean = text?.trim() ?? '';
  return clean === '' || clean.length > MAX_LENGTH ? null : clean;
}
