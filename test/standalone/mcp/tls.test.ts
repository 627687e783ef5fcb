import { describe } from 'vitest';
import { TLS_CASES } from '../../fixtures/mcp-servers/hostile/tls-cases.ts';
import { testCases, watchedProber } from '../../support/hostile.ts';

describe('a server behind TLS that shows', () => {
  testCases(watchedProber(), TLS_CASES, {});
});
