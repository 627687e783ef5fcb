import { isIP } from 'node:net';
import type { OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';
import { FaultError } from './fault-error.ts';
import { isLoopbackHost } from './loopback.ts';

const bare = (url: URL) =>
  url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

/** The same host, or two names under the same last two labels: what one owner has, nearly always. */
function isOfOneSite(one: URL, other: URL): boolean {
  const [a, b] = [bare(one), bare(other)];
  if (a === b) return true;
  if (isIP(a) !== 0 || isIP(b) !== 0) return false;
  const site = (host: string) => host.split('.').slice(-2);
  return site(a).length === 2 && site(a).join('.') === site(b).join('.');
}

/**
 * Throws an `oauth` fault unless the client secret may be sent where the target says. A target may name
 * any authorization server: without a registered issuer, only one of its own site is believed. Whoever
 * it is, it is asked over https, on this machine alone also over http.
 */
export function checkServer(found: OAuthDiscoveryState, target: URL, issuer: string | undefined): void {
  const server = new URL(found.authorizationServerUrl);
  const token = found.authorizationServerMetadata?.token_endpoint;
  const named = token === undefined ? [server] : [server, new URL(token)];
  for (const url of named) {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
      const message = `the authorization server ${url.origin} is not asked: it needs https`;
      throw new FaultError({ kind: 'oauth', message });
    }
    if (issuer === undefined && !isOfOneSite(url, target)) {
      const message =
        `the authorization server ${server.origin} (${url.origin}) is of another site than the target; if it is ` +
        'meant, register it as auth_config.oauth.issuer or auth_config.custom.issuer';
      throw new FaultError({ kind: 'oauth', message });
    }
  }
}
