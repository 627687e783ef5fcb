import { describe, expect, it } from 'vitest';
import { checkServer } from '../../../src/mcp/oauth-server.ts';

const check = (target: string, server: string, token = `${server}/token`, issuer?: string) =>
  checkServer(
    {
      authorizationServerUrl: server,
      authorizationServerMetadata: {
        issuer: server,
        authorization_endpoint: `${server}/authorize`,
        token_endpoint: token,
        response_types_supported: ['code'],
      },
    },
    new URL(target),
    issuer,
  );

describe('the client secret', () => {
  it.each([
    ['https://mcp.example.com/mcp', 'https://mcp.example.com'],
    ['https://mcp.example.com/mcp', 'https://auth.example.com'],
    ['https://mcp.example.com/mcp', 'https://EXAMPLE.com.'],
    ['http://127.0.0.1:1/', 'http://127.0.0.1:2'],
    ['http://[::1]:1/', 'http://[::1]:2'],
  ])('of %s may go to %s', (target, server) => {
    expect(() => check(target, server)).not.toThrow();
  });

  it.each([
    ['https://mcp.example.com/', 'https://auth.example.org', undefined, /auth\.example\.org.*oauth\.issuer/],
    ['https://mcp.example.com/', 'https://auth.example.com', 'https://evil.test/token', /evil\.test.*issuer/],
    ['https://10.0.0.1/', 'https://9.0.0.1', undefined, /another site/],
    ['https://gateway/', 'https://auth', undefined, /another site/],
    ['https://mcp.example.com/', 'http://auth.example.com', undefined, /https/],
    ['https://mcp.example.com/', 'https://a.example.com', 'http://a.example.com/token', /https/],
  ])('of %s may not go to %s (%s)', (target, server, token, message) => {
    expect(() => check(target, server, token)).toThrow(message);
  });

  it('goes anywhere that is registered, and never without https', () => {
    const other = 'https://login.example.org';
    expect(() => check('https://a.example.com', other, 'https://tokens.example.net/t', other)).not.toThrow();
    const plain = 'http://login.example.org';
    expect(() => check('https://a.example.com', plain, undefined, plain)).toThrow(/https/);
  });
});
