import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { BadTarget, TlsSettings } from '../core/target.ts';
import { badAuth } from './credentials.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const KNOWN = new Set(['ca', 'cert', 'key', 'passphrase', 'fingerprint256', 'insecure']);
const FINGERPRINT = /^[0-9A-F]{64}$/;
const MAX_PEM_LENGTH = 256 * 1024;

/** A text, or several to be put together; undefined when there is none. */
function pemOf(value: unknown): string | undefined | null {
  if (value === undefined || value === null) return undefined;
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  if (!parts.every((part) => typeof part === 'string')) return null;
  const text = parts.join('\n');
  return text.length > MAX_PEM_LENGTH ? null : text;
}

/** `AB:CD:…` in any case, with or without colons. */
function fingerprintsOf(value: unknown): string[] | null {
  if (value === undefined || value === null) return [];
  const given: unknown[] = Array.isArray(value) ? value : [value];
  const clean = given.map((text) =>
    typeof text === 'string' ? text.replace(/[:\s]/g, '').toUpperCase() : '',
  );
  return clean.length > 0 && clean.every((text) => FINGERPRINT.test(text)) ? clean : null;
}

/**
 * What `auth_config.custom.tls` says; undefined when it says nothing. A BadTarget names the member that
 * cannot be used, and none of what it holds.
 */
export function tlsSettingsOf(custom: Record<string, unknown>): TlsSettings | undefined | BadTarget {
  const { tls } = custom;
  if (tls === undefined || tls === null) return undefined;
  if (!isObject(tls)) return badAuth('auth_config.custom.tls is no object');
  const unknown = Object.keys(tls).find((name) => !KNOWN.has(name));
  // A misspelt fingerprint must not mean that nothing is pinned.
  if (unknown !== undefined) return badAuth('auth_config.custom.tls holds a member that is not known');
  const [ca, cert, key] = [pemOf(tls.ca), pemOf(tls.cert), pemOf(tls.key)];
  if (ca === null || cert === null || key === null)
    return badAuth('auth_config.custom.tls: ca, cert and key are PEM texts');
  if ((cert === undefined) !== (key === undefined))
    return badAuth('auth_config.custom.tls: cert and key need each other');
  const { passphrase, insecure } = tls;
  if (passphrase !== undefined && typeof passphrase !== 'string')
    return badAuth('auth_config.custom.tls.passphrase is no text');
  if (insecure !== undefined && typeof insecure !== 'boolean')
    return badAuth('auth_config.custom.tls.insecure is neither true nor false');
  const fingerprints = fingerprintsOf(tls.fingerprint256);
  if (fingerprints === null)
    return badAuth('auth_config.custom.tls.fingerprint256 is no SHA-256 of a certificate');
  const identity = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  try {
    createSecureContext(identity);
    // OpenSSL passes over an authority that it cannot read, and would then trust nobody.
    if (ca !== undefined) new X509Certificate(ca);
  } catch {
    // What OpenSSL complains of may hold parts of what it was given.
    return badAuth('auth_config.custom.tls: ca, cert or key cannot be used by OpenSSL');
  }
  return { ...identity, fingerprints, insecure: insecure === true };
}

/** Where the settings of a target hold: its own host and port, nobody else's. */
export interface TlsSite {
  host: string;
  port: number;
  settings: TlsSettings;
}

/** What Node's TLS is to be told for a connection to `host:port`, besides what holds for all. */
export function tlsOptionsFor(
  site: TlsSite | null,
  host: string | undefined,
  port: number,
): { ca?: string | string[]; cert?: string; key?: string; passphrase?: string; rejectUnauthorized?: false } {
  if (!site) return {};
  const { ca, cert, key, passphrase, insecure } = site.settings;
  if (!isAt(site, host, port)) {
    // Its authorization server may be of the same house; no proof of who we are is for anybody else.
    return ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(insecure ? { rejectUnauthorized: false as const } : {}),
  };
}

/** Why the certificate with this fingerprint is not the pinned one; null when it is, or none is pinned. */
export function pinProblem(
  site: TlsSite | null,
  host: string | undefined,
  port: number,
  fingerprint: string | undefined,
): string | null {
  if (!site || site.settings.fingerprints.length === 0 || !isAt(site, host, port)) return null;
  const shown = fingerprint?.replaceAll(':', '') ?? '';
  if (site.settings.fingerprints.includes(shown)) return null;
  return `its certificate is not the pinned one; the SHA-256 of what it showed is ${fingerprint ?? 'unknown'}`;
}

const isAt = (site: TlsSite, host: string | undefined, port: number) =>
  site.port === port && site.host === (host ?? '').toLowerCase();
