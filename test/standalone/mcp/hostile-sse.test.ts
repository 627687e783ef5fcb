import { afterEach, describe, expect, it } from 'vitest';
import { probeAny } from '../../../src/mcp/probe-any.ts';
import { createProber, type Prober } from '../../../src/mcp/prober.ts';
import { SSE_CASES } from '../../fixtures/mcp-servers/hostile/sse-cases.ts';
import { PATIENT_MS, SHORT_MS, testCases, watchedProber } from '../../support/hostile.ts';
import { CLIENT_INFO, targetOf } from '../../support/mcp-probing.ts';
import { startEverything, startHttp } from '../../support/mcp-servers.ts';

const settledByMs = (timeoutMs: number) => (timeoutMs + 1_000) * 3;
const LIMITS = { bodyBytes: 512 * 1024, lineBytes: 256 * 1024, messages: 2_000, stallMs: 300 };

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function makeProber(): Prober {
  const prober = createProber({ clientInfo: CLIENT_INFO, limits: LIMITS });
  cleanUps.push(() => prober.close());
  return prober;
}

describe('a hostile SSE server', () => {
  testCases(
    watchedProber(),
    SSE_CASES.map((hostile) => ({ ...hostile, target: { transport: 'sse' } })),
    LIMITS,
  );
});

describe('a URL of which the transport is not known', () => {
  it('is probed as SSE when it is no streamable HTTP server', async () => {
    const server = await startEverything('sse');
    cleanUps.push(server.stop);
    const outcome = await probeAny(makeProber(), targetOf(server.url));
    expect(outcome).toMatchObject({ fault: null, transport: 'sse' });
    expect(outcome.serverInfo?.name).toContain('everything');
  });

  it('is probed once when it refuses us, fails, or is not there', async () => {
    for (const code of [401, 403, 500]) {
      const methods: string[] = [];
      const served = await startHttp((request, response) => {
        methods.push(request.method ?? '');
        response.writeHead(code).end();
      });
      cleanUps.push(served.stop);
      const outcome = await probeAny(makeProber(), targetOf(served.url, { timeoutMs: PATIENT_MS }));
      expect(outcome.fault).toMatchObject({ kind: 'http', status: code });
      expect(methods).toEqual(['POST']);
    }
  });

  it('keeps the first answer when it is neither', async () => {
    const served = await startHttp((_request, response) => void response.writeHead(404).end());
    cleanUps.push(served.stop);
    const outcome = await probeAny(makeProber(), targetOf(served.url, { timeoutMs: PATIENT_MS }));
    expect(outcome).toMatchObject({ transport: 'http', fault: { kind: 'http', status: 404 } });
  });

  it('has one deadline for both tries', async () => {
    const served = await startHttp((request, response) => {
      if (request.method === 'POST') setTimeout(() => response.writeHead(404).end(), SHORT_MS / 2);
    });
    cleanUps.push(served.stop);
    const startedAt = performance.now();
    const outcome = await probeAny(makeProber(), targetOf(served.url, { timeoutMs: SHORT_MS * 2 }));
    expect(performance.now() - startedAt).toBeLessThan(settledByMs(SHORT_MS * 2));
    expect(outcome.fault).toMatchObject({ kind: 'http', status: 404 });
  });
});
