import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  path: string;
  method: string;
  headers: IncomingMessage['headers'];
  body: string;
  atMs: number;
}

export interface Receiver {
  url: string;
  /** Every request that was read to its end, refused ones as well. */
  log: Received[];
  /** How requests are answered; 200 with `ok` until it is set. May wait, or destroy the response. */
  answer: (request: Received, response: ServerResponse) => void | Promise<void>;
  /** Resolves with what was received once `test` says so. */
  until<Answer>(what: string, test: () => Answer | undefined): Promise<Answer>;
  close(): Promise<void>;
}

/** A web server on loopback that notes what it is told. */
export async function startReceiver(): Promise<Receiver> {
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => response.destroy(error));
  });
  const receiver: Receiver = {
    url: '',
    log: [],
    answer: (_, response) => void response.end('ok'),
    until(what, test) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(
              `${what}: not within 30 s; received ${receiver.log.map(({ body }) => body).join('\n')}`,
            ),
          );
        }, 30_000);
        const look = () => {
          const answer = test();
          if (answer === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(answer);
        };
        waiting.add(look);
        look();
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const received = {
      path: request.url ?? '/',
      method: request.method ?? '',
      headers: request.headers,
      body,
      atMs: Date.now(),
    };
    receiver.log.push(received);
    await receiver.answer(received, response);
    for (const look of [...waiting]) look();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return receiver;
}
