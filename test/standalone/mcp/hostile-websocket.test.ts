import { afterEach, describe, expect, it } from 'vitest';
import {
  answerWell,
  startSockets,
  WEBSOCKET_CASES,
} from '../../fixtures/mcp-servers/hostile/websocket-cases.ts';
import { PATIENT_MS, SHORT_MS, testCases, watchedProber } from '../../support/hostile.ts';
import { freePort, startHttp } from '../../support/mcp-servers.ts';
import { expectHeld } from '../../support/watched-prober.ts';

const LIMITS = { bodyBytes: 512 * 1024, messages: 2_000, stallMs: 300 };

const cleanUps: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});
const prober = watchedProber();

async function probe(url: string, timeoutMs = PATIENT_MS, headers: Record<string, string> = {}) {
  const watched = await prober().probe({ words: [url], target: { timeoutMs, headers }, limits: LIMITS });
  expectHeld(watched, timeoutMs);
  return { outcome: watched.outcome, ...watched.told };
}

describe('a hostile WebSocket server', () => {
  testCases(prober, WEBSOCKET_CASES, LIMITS);

  it('does not speak the subprotocol of MCP', async () => {
    const server = await startSockets(answerWell, { subprotocol: false });
    cleanUps.push(server.stop);
    expect((await probe(String(server.words))).reason).toBe('not_mcp');
  });

  it('is not there', async () => {
    expect((await probe(`ws://127.0.0.1:${await freePort()}/`)).reason).toBe('refused');
  });

  it.each([
    [401, 'unauthenticated'],
    [404, 'not_found'],
    [503, 'server_error'],
  ] as const)('answers the upgrade with %i: %s', async (status, reason) => {
    const served = await startHttp(() => undefined);
    served.server.on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 ${status} No\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n`),
    );
    cleanUps.push(served.stop);
    const probed = await probe(served.url.replace('http', 'ws'));
    expect(probed.reason).toBe(reason);
    expect(probed.outcome.fault).toMatchObject({ status, retryAfterMs: 2_000 });
  });

  it('answers the upgrade as a web page', async () => {
    const served = await startHttp((_request, response) => void response.end('<p>Hello</p>'));
    cleanUps.push(served.stop);
    expect((await probe(served.url.replace('http', 'ws'))).reason).toBe('not_mcp');
  });

  it('never answers the upgrade', async () => {
    const served = await startHttp(() => undefined);
    const sockets: Array<{ destroy(): void }> = [];
    served.server.on('upgrade', (_request, socket) => sockets.push(socket));
    cleanUps.push(served.stop, () => {
      for (const socket of sockets) socket.destroy();
    });
    expect((await probe(served.url.replace('http', 'ws'), SHORT_MS)).reason).toBe('timeout_handshake');
  });

  it('is shown our headers', async () => {
    const { words, seen, stop } = await startSockets(answerWell);
    cleanUps.push(stop);
    const { reason } = await probe(String(words), PATIENT_MS, { authorization: 'Bearer opensesame' });
    expect(reason).toBe('ok');
    expect(seen).toMatchObject([{ authorization: 'Bearer opensesame', 'sec-websocket-protocol': 'mcp' }]);
  });
});
