import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import type { Health } from './health.ts';
import { ListenError } from './listen-error.ts';
import { type LoopWatchdog, startLoopWatchdog } from './loop-watchdog.ts';

export interface HttpServerOptions {
  metrics: { contentType: string; render(): Promise<string> };
  health: Health;
  logger: { error(details: object, message: string): void };
  host: string;
  /** 0 for any free one. */
  port: number;
  /** The event loop counts as stuck when it is this far behind. */
  maxLoopDelayMs?: number;
}

export interface HttpServer {
  /** Resolves once it listens; rejects with a ListenError. */
  start(): Promise<{ url: string }>;
  /** Ends open connections too; may be called more than once. */
  stop(): Promise<void>;
}

/** The address to print: one that a browser on this machine can open. */
function toUrl({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (address === '::') return `http://[::1]:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

function addRoutes(app: FastifyInstance, watchdog: LoopWatchdog, options: HttpServerOptions): void {
  const { metrics, health, logger, maxLoopDelayMs = 5000 } = options;
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render();
    return reply.header('content-type', metrics.contentType).header('cache-control', 'no-store').send(text);
  });
  app.get('/livez', async (_request, reply) => {
    const loopDelayMs = watchdog.delayMs();
    const ok = loopDelayMs <= maxLoopDelayMs;
    return reply
      .code(ok ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ok, loopDelayMs });
  });
  app.get('/readyz', async (_request, reply) => {
    const report = await health.report();
    return reply
      .code(report.ok ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(report);
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `nothing is at ${request.method} ${request.url.split('?')[0] ?? ''}` }),
  );
  app.setErrorHandler((error, request, reply) => {
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
    if (status >= 400 && status < 500) return reply.code(status).send({ error: 'the request is malformed' });
    // What went wrong inside is for the log: an answer may be read by anybody.
    logger.error({ err: error, path: request.routeOptions.url }, 'a request failed');
    return reply.code(500).send({ error: 'the request failed; the log says why' });
  });
}

/** /metrics, /livez and /readyz. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { host, port } = options;
  const watchdog = startLoopWatchdog();
  const app = fastify({ forceCloseConnections: true, requestTimeout: 10_000, bodyLimit: 64 * 1024 });
  addRoutes(app, watchdog, options);

  async function start() {
    try {
      await app.listen({ host, port });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      await stop();
      throw new ListenError(code, host, port, error);
    }
    const address = app.server.address();
    if (address === null || typeof address === 'string') throw new Error('listening, but not on a port');
    return { url: toUrl(address) };
  }

  async function stop() {
    watchdog.stop();
    await app.close();
  }

  return { start, stop };
}
