import { describe, expect, it } from 'vitest';
import type { HostileServer } from '../../fixtures/mcp-servers/hostile/hostile-case.ts';
import { SSE_CASES } from '../../fixtures/mcp-servers/hostile/sse-cases.ts';
import { probeHostile, SHORT_MS, testCases, watchedProber } from '../../support/hostile.ts';
import { startEverything, startHttp } from '../../support/mcp-servers.ts';

const LIMITS = { bodyBytes: 512 * 1024, lineBytes: 256 * 1024, messages: 2_000, stallMs: 300 };
const prober = watchedProber();

describe('a hostile SSE server', () => {
  testCases(
    prober,
    SSE_CASES.map((hostile) => ({ ...hostile, order: { target: { transport: 'sse' } } })),
    LIMITS,
  );
});

describe('a URL of which the transport is not known', () => {
  const probeAny = <Server extends HostileServer>(start: () => Promise<Server>, timeoutMs?: number) =>
    probeHostile(prober(), start, {
      isUnnamed: true,
      limits: LIMITS,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  const startAny = async (listener: Parameters<typeof startHttp>[0]) => {
    const served = await startHttp(listener);
    return { ...served, words: [served.url] };
  };

  it('is probed as SSE when it is no streamable HTTP server', async () => {
    const { outcome } = await probeAny(async () => {
      const server = await startEverything('sse');
      return { ...server, words: [server.url] };
    }, 10_000);
    expect(outcome).toMatchObject({ fault: null, transport: 'sse' });
    expect(outcome.serverInfo?.name).toContain('everything');
  });

  it.each([401, 403, 500])('is probed once when it answers %i', async (code) => {
    const { outcome, server } = await probeAny(async () => {
      const methods: string[] = [];
      const served = await startAny((request, response) => {
        methods.push(request.method ?? '');
        response.writeHead(code).end();
      });
      return { ...served, methods };
    });
    expect(outcome.fault).toMatchObject({ kind: 'http', status: code });
    expect(server.methods).toEqual(['POST']);
  });

  it('keeps the first answer when it is neither', async () => {
    const { outcome } = await probeAny(() =>
      startAny((_request, response) => void response.writeHead(404).end()),
    );
    expect(outcome).toMatchObject({ transport: 'http', fault: { kind: 'http', status: 404 } });
  });

  it('has one deadline for both tries', async () => {
    const start = () =>
      startAny((request, response) => {
        if (request.method === 'POST') setTimeout(() => response.writeHead(404).end(), SHORT_MS / 2);
      });
    const { outcome } = await probeAny(start, SHORT_MS * 2);
    expect(outcome.fault).toMatchObject({ kind: 'http', status: 404 });
  });
});
