import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { classify } from '../../../src/core/classify.ts';
import type { TransportType } from '../../../src/core/target.ts';
import { createProber } from '../../../src/mcp/prober.ts';
import { targetOfServer } from '../../../src/mcp/target.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT } from '../../support/mcp-probing.ts';
import { GREETING } from '../../support/mcp-scripted.ts';

const pem = (name: string) =>
  readFileSync(new URL(`../../fixtures/mcp-servers/tls/${name}.pem`, import.meta.url), 'utf8');
const fingerprintOf = (name: string) => new X509Certificate(pem(name)).fingerprint256;
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A stateless answerer of the handshake behind TLS, and what it was asked. */
async function startTls(certificate: string, options: ServerOptions = {}) {
  const received: string[] = [];
  const server = createServer(
    { key: pem('key'), cert: pem(certificate), ...options },
    (request, response) => {
      received.push(`${request.method} ${request.headers.authorization ?? ''}`.trim());
      let text = '';
      request.on('data', (part) => {
        text += part;
      });
      request.on('end', () => {
        const { id, method } = text === '' ? { id: 0, method: '' } : JSON.parse(text);
        if (id === undefined) return response.writeHead(202).end();
        const result = method === 'initialize' ? { ...GREETING, capabilities: {} } : {};
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      });
    },
  );
  server.on('upgrade', (request, socket) => {
    received.push(`upgrade ${request.headers.authorization ?? ''}`);
    socket.destroy();
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, port: (server.address() as AddressInfo).port };
}

async function probe(port: number, tls: object, transportType: TransportType = 'http') {
  const scheme = transportType === 'websocket' ? 'wss' : 'https';
  const target = targetOfServer(
    {
      id: 'tls',
      name: 'tls',
      endpointUrl: `${scheme}://localhost:${port}/mcp`,
      transportType,
      authType: 'bearer',
      authConfig: { bearerToken: 'tok-12345', custom: { tls } },
      settings: null,
    },
    { timeoutMs: 6_000 },
  );
  if ('kind' in target) throw new Error(target.message);
  const prober = createProber({ clientInfo: CLIENT_INFO });
  cleanUps.push(() => prober.close());
  const outcome = await prober.probe(target);
  expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  return { outcome, ...classify(outcome) };
}

describe('a server with TLS settings of its own', () => {
  it('is trusted by its own authority', async () => {
    const { port } = await startTls('valid');
    expect((await probe(port, {})).reason).toBe('tls_untrusted');
    const { reason, outcome } = await probe(port, { ca: pem('ca') });
    expect(reason).toBe('ok');
    expect(outcome.certificate?.validToMs).toBe(Date.parse(new X509Certificate(pem('valid')).validTo));
    expect(outcome.warnings).toEqual([]);
  });

  it('is trusted by no other once an authority is named', async () => {
    const { port } = await startTls('self-signed');
    expect((await probe(port, { ca: pem('ca') })).reason).toBe('tls_untrusted');
  });

  it.each(['self-signed', 'expired', 'other-name'])(
    'may be %s when it is not to be verified, and that is said',
    async (name) => {
      const { port } = await startTls(name);
      const { reason, outcome } = await probe(port, { insecure: true });
      expect(reason).toBe('ok');
      expect(outcome.warnings).toMatchObject([{ code: 'tls_not_verified' }]);
    },
  );

  it('shows the pinned certificate', async () => {
    const { port } = await startTls('self-signed');
    const pinned = { insecure: true, fingerprint256: fingerprintOf('self-signed') };
    expect((await probe(port, pinned)).reason).toBe('ok');
    const lower = {
      insecure: true,
      fingerprint256: [fingerprintOf('valid'), pinned.fingerprint256.replaceAll(':', '').toLowerCase()],
    };
    expect((await probe(port, lower)).reason).toBe('ok');
  });

  it.each(['http', 'sse', 'websocket'] as const)(
    'that shows another one is sent nothing over %s',
    async (transport) => {
      const { port, received } = await startTls('valid');
      for (const tls of [
        { ca: pem('ca'), fingerprint256: fingerprintOf('self-signed') },
        { insecure: true, fingerprint256: fingerprintOf('self-signed') },
      ]) {
        const { reason, message } = await probe(port, tls, transport);
        expect(reason).toBe('tls_pin_mismatch');
        expect(message).toContain(fingerprintOf('valid'));
      }
      expect(received).toEqual([]);
    },
  );

  it('is shown our own certificate', async () => {
    const { port, received } = await startTls('valid', {
      requestCert: true,
      rejectUnauthorized: true,
      ca: pem('ca'),
    });
    const { reason, verdict } = await probe(port, { ca: pem('ca') });
    expect({ reason, verdict }).toEqual({ reason: 'tls_client_certificate', verdict: 'unauthenticated' });
    expect(received).toEqual([]);
    const shown = await probe(port, { ca: pem('ca'), cert: pem('valid'), key: pem('key') });
    expect(shown.reason).toBe('ok');
  });
});
