import { describe } from 'vitest';
import { OAUTH_CASES } from '../../fixtures/mcp-servers/hostile/oauth-cases.ts';
import { testCases, watchedProber } from '../../support/hostile.ts';

describe('an authorization server with', () => {
  testCases(watchedProber(), OAUTH_CASES, {});
});
