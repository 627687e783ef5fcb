import { describe } from 'vitest';
import { CANARY_CASES } from '../../fixtures/mcp-servers/hostile/canary-cases.ts';
import { testCases, watchedProber } from '../../support/hostile.ts';

describe('a call that goes wrong is the canary’s failure, and the listing stays', () => {
  testCases(watchedProber(), CANARY_CASES, {});
});
