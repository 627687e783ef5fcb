import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { quoteCommand } from '../core/import/quote-command.ts';
import { startChildServer } from './child-server.ts';
import { createGuardedClock, createStatelessClock, loadServerSdk } from './clock-server.ts';
import { type DemoPart, describeDemo } from './demo-server.ts';
import type { DemoPrograms } from './find-packages.ts';
import { findSilentPort } from './reserve-port.ts';
import { serveFetch } from './serve-fetch.ts';

/** What each part of the fleet is started with. */
export interface DemoSurroundings {
  programs: DemoPrograms;
  /** Where servers may keep files. */
  folder: string;
  /** Registers what has to be undone; it is undone whether the start succeeds or not. */
  onStop(cleanup: () => Promise<void>): void;
}
export type StartPart = (surroundings: DemoSurroundings) => Promise<DemoPart[]>;

const ANY_PORT = { PORT: '0' };

const startStdio: StartPart = async ({ programs: { everything, memory }, folder }) => [
  describeDemo('everything-stdio', {
    name: 'Everything (stdio)',
    description: 'The reference server with every feature, started for each probe.',
    endpointUrl: quoteCommand([process.execPath, everything, 'stdio']),
    transportType: 'stdio',
  }),
  describeDemo('memory-stdio', {
    name: 'Memory (stdio)',
    description: 'A knowledge graph in a file, started for each probe.',
    endpointUrl: quoteCommand([process.execPath, memory]),
    transportType: 'stdio',
    authType: 'custom',
    authConfig: { custom: { env: { MEMORY_FILE_PATH: join(folder, 'memory-stdio.jsonl') } } },
  }),
];

const startHttp: StartPart = async ({ programs: { everything }, onStop }) => {
  const child = await startChildServer('Everything (HTTP)', [everything, 'streamableHttp'], ANY_PORT);
  onStop(child.stop);
  return [
    describeDemo('everything-http', {
      name: 'Everything (HTTP)',
      description: 'The reference server over streamable HTTP, with sessions.',
      endpointUrl: `http://127.0.0.1:${child.port}/mcp`,
      transportType: 'http',
    }),
  ];
};

const startSse: StartPart = async ({ programs: { everything }, onStop }) => {
  const child = await startChildServer('Everything (SSE)', [everything, 'sse'], ANY_PORT);
  onStop(child.stop);
  return [
    describeDemo('everything-sse', {
      name: 'Everything (SSE)',
      description: 'The reference server over the older HTTP and SSE transport.',
      endpointUrl: `http://127.0.0.1:${child.port}/sse`,
      transportType: 'sse',
    }),
  ];
};

const startWebSocket: StartPart = async ({ programs: { supergateway, memory }, folder, onStop }) => {
  const command = quoteCommand([process.execPath, memory]);
  const child = await startChildServer(
    'Memory (WebSocket)',
    [
      supergateway,
      '--stdio',
      command,
      '--outputTransport',
      'ws',
      '--port',
      '0',
      '--messagePath',
      '/message',
      '--logLevel',
      'none',
    ],
    { MEMORY_FILE_PATH: join(folder, 'memory-websocket.jsonl') },
  );
  onStop(child.stop);
  return [
    describeDemo('memory-websocket', {
      name: 'Memory (WebSocket)',
      description: 'A stdio server that supergateway offers as a WebSocket.',
      endpointUrl: `ws://127.0.0.1:${child.port}/message`,
      transportType: 'websocket',
    }),
  ];
};

const startClocks: StartPart = async ({ onStop }) => {
  const sdk = await loadServerSdk();
  const serve = async (handler: (request: Request) => Promise<Response>) => {
    const server = await serveFetch(handler);
    onStop(server.stop);
    return `http://127.0.0.1:${server.port}/mcp`;
  };
  const token = randomBytes(24).toString('hex');
  return [
    describeDemo('clock-stateless', {
      name: 'Clock (stateless)',
      description: 'A server of the stateless era, protocol 2026-07-28.',
      endpointUrl: await serve(createStatelessClock(sdk)),
      transportType: 'http',
    }),
    describeDemo('clock-guarded', {
      name: 'Clock (with its token)',
      description: 'It wants a bearer token, and the registry has it.',
      endpointUrl: await serve(createGuardedClock(sdk, token)),
      transportType: 'http',
      authType: 'bearer',
      authConfig: { bearerToken: token },
    }),
    describeDemo(
      'clock-locked',
      {
        name: 'Clock (token missing)',
        description: 'It wants a bearer token that the registry does not have.',
        endpointUrl: await serve(createGuardedClock(sdk, randomBytes(24).toString('hex'))),
        transportType: 'http',
      },
      'unauthenticated',
    ),
  ];
};

const startDown: StartPart = async () => [
  describeDemo(
    'nobody-home',
    {
      name: 'Nobody home',
      description: 'A port on which nothing listens.',
      endpointUrl: `http://127.0.0.1:${await findSilentPort()}/mcp`,
      transportType: 'http',
    },
    'down',
  ),
];

/** In the order in which the table of verdicts shows them. */
export const DEMO_PARTS: readonly StartPart[] = [
  startStdio,
  startHttp,
  startSse,
  startWebSocket,
  startClocks,
  startDown,
];
