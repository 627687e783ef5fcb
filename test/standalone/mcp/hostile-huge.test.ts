import { describe, it } from 'vitest';
import { HUGE_CASES } from '../../fixtures/mcp-servers/hostile/huge-cases.ts';
import { expectCase, PATIENT_MS } from '../../support/hostile.ts';
import { startWatchedProber } from '../../support/watched-prober.ts';

// Each in a process of its own: what one has left in the heap would hide what the next one takes.
describe.concurrent('with the ordinary bounds, a probe of', () => {
  it.each(HUGE_CASES.map((hostile) => [hostile.name, hostile.reason, hostile] as const))(
    '%s: %s, and no more memory than it may have',
    async (_name, _reason, hostile) => {
      const prober = await startWatchedProber();
      try {
        await expectCase(prober, { ...hostile, timeoutMs: 3 * PATIENT_MS }, {});
      } finally {
        prober.close();
      }
    },
  );
});
