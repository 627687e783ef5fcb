import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { REASONS } from '../../src/core/reasons.ts';
import type { ProbeLimits } from '../../src/mcp/limits.ts';
import type { HostileCase } from '../fixtures/mcp-servers/hostile/hostile-case.ts';
import type { Watched } from '../fixtures/probe-watcher.ts';
import { expectHeld, startWatchedProber, type WatchedProber } from './watched-prober.ts';

/** How long nobody else may have a turn of the loop, in CPU time. */
const MAX_TURN_MS = 50;
/** A virtual machine that is not given its processor may count that, too: such a probe is looked at again. */
const MAX_TRIES = 3;
/** For what only a deadline ends; everything else has the patience of a busy machine. */
export const SHORT_MS = 600;
export const PATIENT_MS = 6_000;

/** The watched prober of a test file, started before its tests. */
export function watchedProber(): () => WatchedProber {
  let prober: WatchedProber | undefined;
  beforeAll(async () => {
    prober = await startWatchedProber();
  });
  afterAll(() => prober?.close());
  return () => prober ?? expect.fail('the watched prober is not there');
}

/** Probes the server of a case, and asserts all that a case has to. */
export async function expectCase(
  prober: WatchedProber,
  hostile: HostileCase,
  limits: Partial<ProbeLimits>,
): Promise<Watched> {
  const isShort = hostile.waits === true || hostile.reason.startsWith('timeout');
  const timeoutMs = hostile.target?.timeoutMs ?? (isShort ? SHORT_MS : PATIENT_MS);
  for (let attempt = 1; ; attempt += 1) {
    const server = await hostile.start();
    try {
      const watched = await prober.probe({
        words: server.words,
        target: { timeoutMs, ...hostile.target },
        limits: { ...limits, ...hostile.limits },
      });
      if (watched.longestTurnMs >= MAX_TURN_MS && attempt < MAX_TRIES) continue;
      expectHeld(watched, timeoutMs);
      expect(watched.longestTurnMs, 'CPU time of a turn').toBeLessThan(MAX_TURN_MS);
      expectTold(watched, hostile);
      await vi.waitFor(async () => expect((await server.left?.()) ?? 0).toBe(0), { timeout: 5_000 });
      return watched;
    } finally {
      await server.stop();
    }
  }
}

function expectTold({ outcome, told, tools }: Watched, hostile: HostileCase): void {
  const { reason, verdict = REASONS[reason].verdict, fault, message } = hostile;
  expect({ reason: told.reason, verdict: told.verdict }, told.message).toEqual({ reason, verdict });
  if (fault) expect(outcome.fault).toMatchObject(fault);
  if (message) expect(told.message).toMatch(message);
  expect(tools).toBe(hostile.tools ?? null);
}

/** A test of each case. */
export function testCases(
  prober: () => WatchedProber,
  cases: readonly HostileCase[],
  limits: Partial<ProbeLimits>,
): void {
  it.each(cases.map((hostile) => [hostile.name, hostile.reason, hostile] as const))(
    '%s: %s',
    async (_name, _reason, hostile) => {
      await expectCase(prober(), hostile, limits);
    },
  );
}
