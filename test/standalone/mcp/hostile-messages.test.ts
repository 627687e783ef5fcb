import { describe } from 'vitest';
import { MESSAGE_CASES } from '../../fixtures/mcp-servers/hostile/message-cases.ts';
import { testCases, watchedProber } from '../../support/hostile.ts';

describe('messages that mean harm', () => {
  testCases(watchedProber(), MESSAGE_CASES, { messages: 2_000 });
});
