import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

type FetchHandler = (request: Request) => Promise<Response>;

function toRequest(message: IncomingMessage, origin: string, signal: AbortSignal): Request {
  const headers = new Headers();
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2)
    headers.append(message.rawHeaders[index] ?? '', message.rawHeaders[index + 1] ?? '');
  const hasBody = message.method !== 'GET' && message.method !== 'HEAD';
  return new Request(new URL(message.url ?? '/', origin), {
    method: message.method ?? 'GET',
    headers,
    signal,
    ...(hasBody ? { body: Readable.toWeb(message), duplex: 'half' as const } : {}),
  });
}

async function answer(
  handler: FetchHandler,
  message: IncomingMessage,
  reply: ServerResponse,
  origin: string,
) {
  const gone = new AbortController();
  reply.once('close', () => gone.abort());
  const response = await handler(toRequest(message, origin, gone.signal));
  reply.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) reply.end();
  else await pipeline(Readable.fromWeb(response.body), reply);
}

export interface FetchServer {
  port: number;
  stop(): Promise<void>;
}

/** Serves a web-standard handler on a free loopback port. */
export async function serveFetch(handler: FetchHandler): Promise<FetchServer> {
  let origin = 'http://127.0.0.1';
  const server = createServer((message, reply) => {
    answer(handler, message, reply, origin).catch(() => {
      // The caller went away, or the request made no sense: nothing is left to be answered.
      reply.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  origin = `http://127.0.0.1:${port}`;
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
