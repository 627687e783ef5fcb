import { describe } from 'vitest';
import { WIRE_CASES } from '../../fixtures/mcp-servers/hostile/wire-cases.ts';
import { testCases, watchedProber } from '../../support/hostile.ts';

const LIMITS = { bodyBytes: 1024 * 1024, lineBytes: 512 * 1024 };

describe('HTTP that is none, or too much of it', () => {
  testCases(watchedProber(), WIRE_CASES, LIMITS);
});
