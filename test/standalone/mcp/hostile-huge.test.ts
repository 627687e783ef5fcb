import { describe } from 'vitest';
import { HUGE_CASES } from '../../fixtures/mcp-servers/hostile/huge-cases.ts';
import { PATIENT_MS, testCases, watchedProber } from '../../support/hostile.ts';

describe('with the ordinary bounds, a probe takes no more memory than it may have of', () => {
  testCases(
    watchedProber(),
    HUGE_CASES.map((hostile) => ({ ...hostile, timeoutMs: 5 * PATIENT_MS })),
    {},
  );
});
