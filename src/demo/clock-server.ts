import { z } from 'zod';

type ServerSdk = typeof import('@modelcontextprotocol/server');
type FetchHandler = (request: Request) => Promise<Response>;

/** Loaded when it is needed: it is a devDependency, and may not be there. */
export const loadServerSdk = (): Promise<ServerSdk> => import('@modelcontextprotocol/server');

function createClock(sdk: ServerSdk) {
  const server = new sdk.McpServer({ name: 'demo-clock', version: '1.0.0' });
  server.registerTool(
    'get_time',
    {
      description: 'The time in a time zone.',
      inputSchema: z.object({ timeZone: z.string().default('UTC') }),
    },
    ({ timeZone }) => ({
      content: [{ type: 'text', text: new Date().toLocaleString('en-GB', { timeZone }) }],
    }),
  );
  server.registerResource(
    'zones',
    'clock://zones',
    { description: 'The time zones that are known.', mimeType: 'application/json' },
    (uri) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify(Intl.supportedValuesOf('timeZone')),
        },
      ],
    }),
  );
  return server;
}

/** A clock that speaks 2026-07-28 and nothing older. */
export function createStatelessClock(sdk: ServerSdk): FetchHandler {
  return sdk.createMcpHandler(() => createClock(sdk), { legacy: 'reject' }).fetch;
}

/** A clock, of both eras, behind a bearer token; others get a 401 with a challenge. */
export function createGuardedClock(sdk: ServerSdk, token: string): FetchHandler {
  const gate = sdk.requireBearerAuth({
    verifier: {
      async verifyAccessToken(given) {
        if (given !== token) throw new sdk.OAuthError(sdk.OAuthErrorCode.InvalidToken, 'not the demo token');
        return { token: given, clientId: 'demo', scopes: [], expiresAt: Math.ceil(Date.now() / 1000) + 60 };
      },
    },
  });
  const { fetch } = sdk.createMcpHandler(() => createClock(sdk));
  return async (request) => {
    const granted = await gate(request);
    return granted instanceof Response ? granted : fetch(request, { authInfo: granted });
  };
}
