import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { RegistryServer } from '../../../src/core/target.ts';
import { targetOfServer } from '../../../src/mcp/target.ts';
import { pinProblem, tlsOptionsFor, tlsSettingsOf } from '../../../src/mcp/tls-settings.ts';

const pem = (name: string) =>
  readFileSync(new URL(`../../fixtures/mcp-servers/tls/${name}.pem`, import.meta.url), 'utf8');
const PIN = 'ab'.repeat(32);

describe('tls settings', () => {
  it('are none where nothing is said', () => {
    expect(tlsSettingsOf({})).toBeUndefined();
    expect(tlsSettingsOf({ tls: null })).toBeUndefined();
  });

  it('are read', () => {
    expect(
      tlsSettingsOf({ tls: { ca: [pem('ca'), pem('self-signed')], fingerprint256: PIN, insecure: false } }),
    ).toEqual({
      ca: `${pem('ca')}\n${pem('self-signed')}`,
      fingerprints: [PIN.toUpperCase()],
      insecure: false,
    });
  });

  test.each([
    ['yes'],
    [{ ca: 5 }],
    [{ ca: 'no PEM at all' }],
    [{ cert: pem('valid') }],
    [{ key: pem('key') }],
    [{ cert: pem('ca'), key: pem('key') }],
    [{ cert: 'secret-cert', key: 'secret-key' }],
    [{ fingerprint256: 'abc' }],
    [{ fingerprint256: [] }],
    [{ fingerprint256: [PIN, 5] }],
    [{ insecure: 'true' }],
    [{ fingerprint: PIN }],
    [{ passphrase: 5 }],
  ])('that cannot be used are told without what they hold: %j', (tls) => {
    const found = tlsSettingsOf({ tls });
    expect(found).toMatchObject({ kind: 'config', field: 'auth' });
    expect(JSON.stringify(found)).not.toMatch(/secret-|no PEM at all|BEGIN/);
  });

  it('are not for a server without TLS', () => {
    const row: RegistryServer = {
      id: 'a',
      name: 'a',
      endpointUrl: 'http://h/',
      transportType: 'http',
      authType: 'none',
      authConfig: { custom: { tls: { insecure: true } } },
      settings: null,
    };
    expect(targetOfServer(row, { timeoutMs: 1 })).toMatchObject({ kind: 'config', field: 'auth' });
    expect(targetOfServer({ ...row, endpointUrl: 'https://h/' }, { timeoutMs: 1 })).toMatchObject({
      tls: { insecure: true },
    });
  });

  it('hold for their own server; its authority serves others beside the known ones', () => {
    const settings = { ca: 'CA', cert: 'C', key: 'K', fingerprints: ['AA'], insecure: true };
    const site = { host: 'h.example', port: 443, settings };
    expect(tlsOptionsFor(site, 'H.example', 443)).toEqual({
      ca: 'CA',
      cert: 'C',
      key: 'K',
      rejectUnauthorized: false,
    });
    const other = tlsOptionsFor(site, 'auth.example', 443);
    expect(Object.keys(other)).toEqual(['ca']);
    expect(other.ca).toContain('CA');
    expect(other.ca?.length).toBeGreaterThan(1);
    expect(Object.keys(tlsOptionsFor(site, 'h.example', 8443))).toEqual(['ca']);
    expect(tlsOptionsFor(null, 'h', 1)).toEqual({});
    expect(pinProblem(site, 'h.example', 443, 'AA')).toBeNull();
    expect(pinProblem(site, 'h.example', 443, undefined)).toMatch(/not the pinned one/);
    expect(pinProblem(site, 'auth.example', 443, 'BB')).toBeNull();
  });
});
