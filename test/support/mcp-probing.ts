import type { ProbeTarget } from '../../src/core/target.ts';
import { Beat } from '../../src/mcp/beat.ts';
import { BulkLane } from '../../src/mcp/bulk-lane.ts';
import { createContext, type ProbeContext } from '../../src/mcp/context.ts';
import { createResolver } from '../../src/mcp/dns/resolver.ts';
import { createFootprint } from '../../src/mcp/footprint.ts';
import { DEFAULT_LIMITS, type ProbeLimits } from '../../src/mcp/limits.ts';
import type { Prober } from '../../src/mcp/prober.ts';
import { createPlainChildren } from '../../src/mcp/processes/children.ts';
import { type TextTargetOptions, targetOfText } from '../../src/mcp/target.ts';

export const CLIENT_INFO = { name: 'mcp-vitals-test', version: '0.0.0' };

/** What a transport needs when it is used without a prober. */
export function createTestContext(limits: Partial<ProbeLimits> = {}): ProbeContext {
  return createContext(
    {
      limits: { ...DEFAULT_LIMITS, ...limits },
      egress: undefined,
      resolver: createResolver(),
      children: createPlainChildren(),
      footprint: createFootprint(),
      userAgent: 'mcp-vitals-test/0.0.0',
      extraCa: undefined,
      childEnvironment: { PATH: process.env.PATH ?? '' },
      bulk: new BulkLane(),
      beat: new Beat(),
    },
    'test',
    10_000,
  );
}

/** A target that has to be valid. */
export function targetOf(
  text: string | readonly string[],
  options: Partial<TextTargetOptions> = {},
): ProbeTarget {
  const words = typeof text === 'string' ? [text] : [...text];
  const target = targetOfText(words, { timeoutMs: 10_000, ...options });
  if ('kind' in target) throw new Error(target.message);
  return target;
}

/** What has to be left of a prober's targets after its probes: nothing. */
export const NOTHING_LEFT = { sessionsOpen: 0, socketsOpen: 0, childrenLive: 0 };

/** The gauges of a prober's footprint, without the running count. */
export function gaugesOf(prober: Prober) {
  const { sessionsOpen, socketsOpen, childrenLive } = prober.footprint();
  return { sessionsOpen, socketsOpen, childrenLive };
}
