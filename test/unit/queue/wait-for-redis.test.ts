import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { QueueUnreachableError, waitForRedis } from '../../../src/queue/wait-for-redis.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Takes connections and does with them what it is told; gives its URL and the sockets that are open. */
async function listen(onSocket: (socket: Socket) => void) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { url: `redis://:hunter2@127.0.0.1:${port}`, open };
}

test('what takes the connection and never says a word is told of, and given up on', async () => {
  const { url, open } = await listen((socket) => socket.resume());
  const lines: string[] = [];
  const problem = await waitForRedis(url, { deadlineMs: 2_600, onRetry: (line) => lines.push(line) }).catch(
    (error: unknown) => error,
  );
  expect(problem).toBeInstanceOf(QueueUnreachableError);
  expect(String(problem)).toMatch(/cannot be used: no answer in [123] s/);
  for (const line of lines) expect(line).toMatch(/does not answer \(no answer in [123] s\): next try/);
  expect([String(problem), ...lines].join()).not.toContain('hunter2');
  for (const socket of open) await once(socket, 'close');
  expect(open.size).toBe(0);
});

test('a stop ends the waiting for an answer', async () => {
  const stop = new AbortController();
  const { url } = await listen((socket) => {
    socket.resume();
    stop.abort(new Error('stopped'));
  });
  await expect(waitForRedis(url, { signal: stop.signal })).rejects.toThrow('stopped');
});
