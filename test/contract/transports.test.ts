import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListResourceTemplatesResultSchema,
  ListToolsResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { TransportType } from '../../src/core/target.ts';
import { createTransport } from '../../src/mcp/open-transport.ts';
import { createProber } from '../../src/mcp/prober.ts';
import { CLIENT_INFO, createTestContext, gaugesOf, NOTHING_LEFT, targetOf } from '../support/mcp-probing.ts';
import { type RunningServer, STDIO_SERVERS, startEverything, startGateway } from '../support/mcp-servers.ts';

interface Subject {
  name: string;
  transport: TransportType;
  start: () => Promise<RunningServer> | undefined;
  words?: readonly string[];
  sdk: (url: URL) => Transport;
}

const stdio = (words: readonly string[]) => {
  const [command = '', ...args] = words;
  return () => new StdioClientTransport({ command, args, stderr: 'ignore' });
};

const SUBJECTS: Subject[] = [
  {
    name: 'server-everything over streamable HTTP',
    transport: 'http',
    start: () => startEverything('streamableHttp'),
    sdk: (url) => new StreamableHTTPClientTransport(url),
  },
  {
    name: 'server-everything over SSE',
    transport: 'sse',
    start: () => startEverything('sse'),
    sdk: (url) => new SSEClientTransport(url),
  },
  {
    name: 'server-memory behind supergateway over WebSocket',
    transport: 'websocket',
    start: startGateway,
    sdk: (url) => new WebSocketClientTransport(url),
  },
  {
    name: 'server-everything over stdio',
    transport: 'stdio',
    start: () => undefined,
    words: STDIO_SERVERS.everything,
    sdk: stdio(STDIO_SERVERS.everything),
  },
  {
    name: 'server-memory over stdio',
    transport: 'stdio',
    start: () => undefined,
    words: STDIO_SERVERS.memory,
    sdk: stdio(STDIO_SERVERS.memory),
  },
];

/** An error as a client of either transport sees it. */
async function errorOf(promise: Promise<unknown>): Promise<{ code: unknown; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return { code: Reflect.get(error, 'code'), message: error.message };
  }
  throw new Error('no error came');
}

/** Everything that the contract compares, seen through the SDK's client on the given transport. */
async function see(transport: Transport) {
  const client = new Client(CLIENT_INFO);
  await client.connect(transport);
  const capabilities = client.getServerCapabilities() ?? {};
  const seen = {
    serverInfo: client.getServerVersion(),
    capabilities,
    instructions: client.getInstructions(),
    ping: await client.ping(),
    tools: (await client.listTools()).tools,
    resources: capabilities.resources ? (await client.listResources()).resources : [],
    resourceTemplates: capabilities.resources ? (await client.listResourceTemplates()).resourceTemplates : [],
    prompts: capabilities.prompts ? (await client.listPrompts()).prompts : [],
    unknownMethod: await errorOf(client.request({ method: 'no/such/method' }, z.object({}))),
    unknownCursor: await client
      .request({ method: 'tools/list', params: { cursor: 'not-a-cursor' } }, z.looseObject({}))
      .catch((error: Error) => error.message),
    unknownTool: await client.callTool({ name: 'no-such-tool' }).catch((error: Error) => error.message),
    badMessage: await errorOf(client.request({ method: 'tools/call', params: { name: 7 } }, z.object({}))),
  };
  await client.close();
  return seen;
}

describe.each(SUBJECTS)('$name', ({ transport, start, words, sdk }) => {
  let server: RunningServer | undefined;
  const prober = createProber({ clientInfo: CLIENT_INFO });
  const target = () => targetOf(words ?? server?.url ?? '', words ? {} : { transport });
  let reference: Awaited<ReturnType<typeof see>>;

  beforeAll(async () => {
    // Node 20 has no WebSocket of its own, and the SDK's transport takes the global one.
    if (transport === 'websocket') Reflect.set(globalThis, 'WebSocket', WebSocket);
    server = await start();
    reference = await see(sdk(new URL(server?.url ?? 'http://unused.invalid')));
  });
  afterAll(async () => {
    await prober.close();
    await server?.stop();
  });

  it('gives the SDK’s client the same answers and errors over our transport', async () => {
    const { endpoint } = target();
    const context = createTestContext();
    const ours = createTransport(endpoint, {}, context);
    expect(await see(ours)).toEqual(reference);
    await ours.close();
    expect(context.footprint).toEqual({ ...NOTHING_LEFT, sessionsAbandoned: 0 });
    expect(context.sessions.closed).toBe(context.sessions.opened);
  });

  it('is probed with the same server, capabilities and inventory', async () => {
    const outcome = await prober.probe(target());
    expect(outcome.fault).toBeNull();
    expect(outcome.warnings).toEqual([]);
    expect(outcome.era).toBe('handshake');
    expect(outcome.serverInfo).toEqual({
      name: reference.serverInfo?.name,
      version: reference.serverInfo?.version,
      ...(reference.serverInfo?.title === undefined ? {} : { title: reference.serverInfo.title }),
    });
    expect(outcome.capabilities).toEqual(reference.capabilities);
    expect(outcome.instructions).toBe(reference.instructions ?? null);
    const { inventory } = outcome;
    // The probe keeps definitions as they were sent; the SDK's client leaves out what it does not know.
    expect(ListToolsResultSchema.parse(inventory).tools).toEqual(reference.tools);
    expect(ListResourcesResultSchema.parse(inventory).resources).toEqual(reference.resources);
    expect(ListResourceTemplatesResultSchema.parse(inventory).resourceTemplates).toEqual(
      reference.resourceTemplates,
    );
    expect(ListPromptsResultSchema.parse(inventory).prompts).toEqual(reference.prompts);
    expect(outcome.footprint.sessionsClosed).toBe(outcome.footprint.sessionsOpened);
    expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  });
});
