import { describe, expect, it } from 'vitest';
import { findLimiter } from '../../../src/mcp/processes/limits.ts';
import { STDIO_CASES } from '../../fixtures/mcp-servers/hostile/stdio-cases.ts';
import { testCases, watchedProber } from '../../support/hostile.ts';

const LIMITS = { bodyBytes: 2 * 1024 * 1024, lineBytes: 1024 * 1024, messages: 2_000, stderrBytes: 4_096 };

describe('a hostile command', () => {
  it('has limits here', async () => {
    expect(await findLimiter({ cpuSeconds: 1 })).not.toBeNull();
  });

  testCases(watchedProber(), STDIO_CASES, LIMITS);
});
