import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createHealth, type HealthCheck } from '../../../src/http/health.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../../src/http/http-server.ts';
import { ListenError } from '../../../src/http/listen-error.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(checks: Record<string, HealthCheck> = {}, extra: Partial<HttpServerOptions> = {}) {
  const logged: object[] = [];
  const server = createHttpServer({
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', render: async () => 'x 1\n' },
    health: createHealth(checks, { timeoutMs: 50 }),
    logger: { error: (details) => logged.push(details) },
    host: '127.0.0.1',
    port: 0,
    ...extra,
  });
  servers.push(server);
  const { url } = await server.start();
  return { server, url, logged, get: (path: string, init?: RequestInit) => fetch(url + path, init) };
}

const fine: HealthCheck = async () => ({ ok: true });

test('/metrics is the exposition, with its content type', async () => {
  const { get } = await serve();
  const response = await get('/metrics');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toBe('x 1\n');
});

test('/livez answers while the event loop turns', async () => {
  const { get } = await serve({ database: async () => ({ ok: false, problem: 'gone' }) });
  const response = await get('/livez');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ ok: true, loopDelayMs: expect.any(Number) });
});

test('/livez says so when the loop was stuck', async () => {
  const { get } = await serve({}, { maxLoopDelayMs: 20 });
  const response = get('/livez');
  // The request is on its way; now nothing else runs for longer than watchdog interval and limit.
  const until = performance.now() + 500;
  while (performance.now() < until);
  expect((await response).status).toBe(503);
  expect(await (await response).json()).toMatchObject({ ok: false });
});

test('/readyz is 200 when every check is fine', async () => {
  const { get } = await serve({ database: fine, queue: fine, sweep: fine });
  const response = await get('/readyz');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    ok: true,
    checks: { database: { ok: true }, queue: { ok: true }, sweep: { ok: true } },
  });
});

test('/readyz is 503 with what is wrong: a problem, a throw, a check that hangs', async () => {
  const { get } = await serve({
    database: async () => {
      throw new Error('cannot reach postgres://user:hunter2@db:5432/x');
    },
    queue: () => new Promise(() => undefined),
    sweep: async () => ({ ok: false, problem: 'no sweep for 40 s' }),
    other: fine,
  });
  const response = await get('/readyz');
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({
    ok: false,
    checks: {
      database: { ok: false, problem: 'cannot reach postgres://db:5432/x' },
      queue: { ok: false, problem: 'no answer within 50 ms' },
      sweep: { ok: false, problem: 'no sweep for 40 s' },
      other: { ok: true },
    },
  });
});

test('a check that hangs is not started again by every poll, and is once it ended', async () => {
  const finishers: (() => void)[] = [];
  const slow: HealthCheck = () =>
    new Promise((resolve) => {
      finishers.push(() => resolve({ ok: true }));
    });
  const health = createHealth({ slow }, { timeoutMs: 10 });
  expect((await health.report()).ok).toBe(false);
  const late = health.report();
  expect(finishers).toHaveLength(1);
  finishers[0]?.();
  expect((await late).ok).toBe(true);
  expect((await health.report()).ok).toBe(false);
  expect(finishers).toHaveLength(2);
});

test.each([
  ['GET', '/nothing?secret=1'],
  ['POST', '/metrics'],
])('%s %s is a 404 in JSON', async (method, path) => {
  const { get } = await serve();
  const response = await get(path, { method });
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({ error: `nothing is at ${method} ${path.split('?')[0]}` });
});

test('a failure inside is logged, not told', async () => {
  const { get, logged } = await serve(
    {},
    {
      metrics: {
        contentType: 'text/plain',
        render: async () => {
          throw new Error('inner detail');
        },
      },
    },
  );
  const response = await get('/metrics');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('inner detail');
  expect(logged).toEqual([expect.objectContaining({ path: '/metrics' })]);
});

test('a malformed request is the asker’s fault, in JSON', async () => {
  const { get, logged } = await serve();
  const response = await get('/%zz');
  expect(response.status).toBe(400);
  expect(logged).toEqual([]);
});

test('a port in use is a clear error of its own', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    const failure = await serve({}, { port }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ListenError);
    expect(failure).toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringMatching(new RegExp(`port ${port} of 127.0.0.1 is in use: .*VITALS_HTTP_PORT`)),
    });
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});

test('stop ends idle connections and may be called twice', async () => {
  const { server, url } = await serve();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  await server.stop();
  await server.stop();
  await closed;
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
});
