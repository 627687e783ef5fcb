import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProber } from '../../src/mcp/prober.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../support/mcp-probing.ts';
import { STDIO_SERVERS, startStateless } from '../support/mcp-servers.ts';

const PINNED = { versionNegotiation: { mode: { pin: '2026-07-28' } } };

/** What the SDK's client of the stateless era sees. */
async function see(client: Client) {
  const capabilities = client.getServerCapabilities() ?? {};
  const seen = {
    serverInfo: client.getServerVersion(),
    capabilities,
    instructions: client.getInstructions() ?? null,
    tools: (await client.listTools()).tools,
    resources: capabilities.resources ? (await client.listResources()).resources : [],
    resourceTemplates: capabilities.resources ? (await client.listResourceTemplates()).resourceTemplates : [],
    prompts: capabilities.prompts ? (await client.listPrompts()).prompts : [],
  };
  await client.close();
  return seen;
}

describe('a server of the stateless era', () => {
  const prober = createProber({ clientInfo: CLIENT_INFO });
  let server: Awaited<ReturnType<typeof startStateless>>;
  beforeAll(async () => {
    server = await startStateless();
  });
  afterAll(async () => {
    await prober.close();
    await server.stop();
  });

  it('is probed over HTTP as the SDK sees it', async () => {
    const client = new Client(CLIENT_INFO, PINNED);
    await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
    const { serverInfo, capabilities, instructions, ...inventory } = await see(client);
    const outcome = await prober.probe(targetOf(server.url));
    expect(outcome).toMatchObject({
      fault: null,
      warnings: [],
      era: 'stateless',
      protocolVersion: '2026-07-28',
    });
    expect(outcome).toMatchObject({ serverInfo, capabilities, instructions, inventory });
    expect(outcome.footprint).toEqual({ sessionsOpened: 0, sessionsClosed: 0 });
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });

  it('is asked nothing of the other era once its own is pinned', async () => {
    server.requests.length = 0;
    const outcome = await prober.probe(targetOf(server.url, { era: 'stateless' }));
    expect(outcome.fault).toBeNull();
    expect(server.requests).toEqual([
      'POST server/discover',
      'POST tools/list',
      'POST resources/list',
      'POST resources/templates/list',
      'POST prompts/list',
    ]);
  });

  it.each(['auto', 'handshake', 'stateless'] as const)('is probed over stdio with era %s', async (era) => {
    const [command = '', ...args] = STDIO_SERVERS.stateless;
    const client = new Client(CLIENT_INFO, PINNED);
    await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }));
    const { serverInfo, capabilities, instructions, ...inventory } = await see(client);
    const outcome = await prober.probe(targetOf(STDIO_SERVERS.stateless, { era }));
    expect(outcome).toMatchObject({
      fault: null,
      era: 'stateless',
      serverInfo,
      capabilities,
      instructions,
      inventory,
    });
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });
});
