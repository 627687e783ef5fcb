import { describe, expect, it } from 'vitest';
import {
  answerWell,
  startSockets,
  WEBSOCKET_CASES,
} from '../../fixtures/mcp-servers/hostile/websocket-cases.ts';
import { probeHostile, testCases, watchedProber } from '../../support/hostile.ts';

const LIMITS = { bodyBytes: 512 * 1024, messages: 2_000, stallMs: 300 };
const prober = watchedProber();

describe('a hostile WebSocket server', () => {
  testCases(prober, WEBSOCKET_CASES, LIMITS);

  it('is shown our headers', async () => {
    const { reason, server } = await probeHostile(prober(), () => startSockets(answerWell), {
      target: { headers: { authorization: 'Bearer opensesame' } },
    });
    expect(reason).toBe('ok');
    expect(server.seen).toMatchObject([
      { authorization: 'Bearer opensesame', 'sec-websocket-protocol': 'mcp' },
    ]);
  });
});
