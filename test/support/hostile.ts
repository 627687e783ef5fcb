import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { REASONS } from '../../src/core/reasons.ts';
import type { ProbeLimits } from '../../src/mcp/limits.ts';
import type { HostileCase, HostileServer } from '../fixtures/mcp-servers/hostile/hostile-case.ts';
import type { Watched, WatchOrder } from '../fixtures/probe-watcher.ts';
import { costsTooMuch, expectHeld, startWatchedProber, type WatchedProber } from './watched-prober.ts';

/**
 * What others have left in the heap counts, and what a virtual machine was not given of its processor: what costs
 * too much is looked at again, by itself in a process of its own.
 */
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

/** How a hostile server is probed. */
export interface HostileProbe extends Partial<Omit<WatchOrder, 'words'>> {
  timeoutMs?: number;
  /** It does little but wait, so that others may be probed at the same time. */
  waits?: boolean;
  /** What else has to be true; the server is still there. */
  check?(probed: Watched & { server: HostileServer }): unknown;
}

/**
 * Starts a hostile server, probes it, and asserts what holds of every probe: time, memory, turns of the loop,
 * and that neither the server nor we have anything left. Verdict and reason are the caller's to assert.
 */
export async function probeHostile<Server extends HostileServer>(
  prober: WatchedProber,
  start: () => Promise<Server>,
  { timeoutMs = PATIENT_MS, waits = false, check, ...rest }: HostileProbe = {},
): Promise<Watched & Watched['told'] & { server: Server }> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await start();
    const order = { limits: {}, ...rest, ...server.order };
    const target = { timeoutMs, ...rest.target, ...server.order?.target };
    const own = attempt > 1 ? await startWatchedProber() : null;
    try {
      const watched = await (own ?? prober).probe({ ...order, words: server.words, target }, !waits);
      if (costsTooMuch(watched) && attempt < MAX_TRIES) continue;
      expectHeld(watched, target.timeoutMs);
      await vi.waitFor(async () => expect((await server.left?.()) ?? 0).toBe(0), { timeout: 5_000 });
      await check?.({ ...watched, server });
      return { ...watched, ...watched.told, server };
    } finally {
      own?.close();
      await server.stop();
    }
  }
}

const isWaiting = ({ waits, reason }: HostileCase) => waits ?? reason.startsWith('timeout');

/** Probes the server of a case, and asserts all that a case has to. */
export async function expectCase(
  prober: WatchedProber,
  hostile: HostileCase,
  limits: Partial<ProbeLimits>,
): Promise<void> {
  const waits = isWaiting(hostile);
  const { reason, verdict = REASONS[reason].verdict, fault, message } = hostile;
  await probeHostile(prober, hostile.start, {
    ...hostile.order,
    timeoutMs: hostile.timeoutMs ?? (waits ? SHORT_MS : PATIENT_MS),
    waits,
    limits: { ...limits, ...hostile.limits },
    async check(probed) {
      const { told, outcome, tools } = probed;
      expect({ reason: told.reason, verdict: told.verdict }, told.message).toEqual({ reason, verdict });
      if (fault) expect(outcome.fault).toMatchObject(fault);
      if (message) expect(told.message).toMatch(message);
      expect(tools).toBe(hostile.tools ?? null);
      await hostile.check?.(probed);
    },
  });
}

/** A test of each case; those that wait do it together. */
export function testCases(
  prober: () => WatchedProber,
  cases: readonly HostileCase[],
  limits: Partial<ProbeLimits>,
): void {
  const named = (waits: boolean) =>
    cases
      .filter((hostile) => isWaiting(hostile) === waits)
      .map((hostile) => [hostile.name, hostile.reason, hostile] as const);
  const test = async (_name: string, _reason: string, hostile: HostileCase) =>
    expectCase(prober(), hostile, limits);
  it.each(named(false))('%s: %s', test);
  if (named(true).length > 0)
    describe.concurrent('that is waited for', () => it.each(named(true))('%s: %s', test));
}
