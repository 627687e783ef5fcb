import * as http from 'node:http';
import * as https from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { Dialer } from './dialer.ts';
import { followable, type HttpAsk, headerLines, type Site, siteOf } from './http-request.ts';
import { faultOfNetworkError } from './network-fault.ts';
import { readBody } from './read-body.ts';
import { readInTurns } from './read-in-turns.ts';

const MAX_REDIRECTS = 5;
/** How long the end of an answered exchange is waited for: a free socket saves a connection. */
export const SETTLE_MS = 10;
const MAX_EXCERPT_BYTES = 64 * 1024;
const EXCERPT_WAIT_MS = 500;
/** What may come before an answer: 100 Continue, early hints. */
const MAX_HINTS = 20;

export interface HttpReply {
  response: http.IncomingMessage;
  /** Where the answer came from, after redirects within the origin. */
  url: URL;
}

/** The HTTP of one probe: requests, redirects that stay within the origin, and bounded bodies. */
export class HttpExchange {
  readonly dialer: Dialer;
  readonly #context: ProbeContext;
  #requests: http.ClientRequest[] = [];
  #site: Site | null = null;
  /** What broke a response of which the head was good. */
  readonly #causes = new WeakMap<http.IncomingMessage, unknown>();
  /** The body of an answered exchange that goes on; it holds one of the few sockets. */
  #lingering: http.IncomingMessage | null = null;

  constructor(context: ProbeContext) {
    this.#context = context;
    this.dialer = new Dialer(context);
  }

  /** Resolves with the response's head; rejects with a FaultError. */
  async ask(ask: HttpAsk): Promise<HttpReply> {
    let { url } = ask;
    for (let followed = 0; ; followed += 1) {
      this.dialer.admit(url);
      if (this.#site?.url !== url) this.#site = siteOf(url);
      const response = await this.#dispatch(ask, this.#site, true);
      const status = response.statusCode ?? 0;
      if (status < 300 || status > 399 || followed === MAX_REDIRECTS) return { response, url };
      const next = followable(response, ask.method, url);
      if (!next) return { response, url };
      await this.drain(response);
      url = next;
    }
  }

  /** The whole body as text, decompressed, within what the probe may still receive. */
  async readText(response: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    await this.readChunks(response, (chunk) => chunks.push(chunk));
    const [first] = chunks;
    return chunks.length === 1 && first ? first.toString('utf8') : Buffer.concat(chunks).toString('utf8');
  }

  /**
   * The beginning of a refusal's body: what there is of it soon. A refusal may have an endless body, and
   * its status says enough.
   */
  readExcerpt(response: http.IncomingMessage): Promise<string> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        clearTimeout(timer);
        if (!response.complete) response.destroy();
        resolve(Buffer.concat(chunks).toString('utf8'));
      };
      const timer = setTimeout(finish, EXCERPT_WAIT_MS);
      this.readChunks(response, (chunk) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= MAX_EXCERPT_BYTES) throw new Error('that is enough');
      }).then(finish, finish);
    });
  }

  /** The text as it comes, never split within a character; resolves when the body has ended. */
  readStream(
    response: http.IncomingMessage,
    reader: { feed(text: string): void; readonly isWithin: boolean },
  ): Promise<void> {
    const decoder = new StringDecoder('utf8');
    const feed = (chunk: Buffer) => reader.feed(decoder.write(chunk));
    return this.readChunks(response, feed, () => reader.isWithin);
  }

  /**
   * Waits until a body that nobody reads has passed, so that the next request finds the socket free; a
   * body that goes on is left to itself.
   */
  drain(response: http.IncomingMessage): Promise<void> {
    return new Promise((resolve) => {
      const empty = response.headers['content-length'] === '0';
      const leave = () => {
        this.leave(response);
        resolve();
      };
      const timer = empty ? undefined : setTimeout(leave, SETTLE_MS);
      response.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      // One that says much is not read faster for it.
      if (!empty) readInTurns(response, this.#context.lane, () => undefined);
      response.resume();
    });
  }

  /** Gives up a body that is of no use any more, as soon as there is a second one, or the probe ends. */
  leave(response: http.IncomingMessage): void {
    if (response === this.#lingering) return;
    this.#lingering?.destroy();
    this.#lingering = response;
  }

  /** As `readBody`, of a response of this exchange. */
  readChunks(
    response: http.IncomingMessage,
    onChunk: (chunk: Buffer) => void,
    isWithin?: () => boolean,
  ): Promise<void> {
    const explain = (error: unknown) => this.#faultFor(response, error);
    return readBody(response, this.#context, { onChunk, explain, ...(isWithin && { isWithin }) });
  }

  /** A body that was cut off looks the same whatever the cause: what is known of it comes first. */
  #faultFor(response: http.IncomingMessage, error: unknown): FaultError {
    if (error instanceof FaultError) return error;
    const cause = this.dialer.overflow ?? this.#causes.get(response) ?? error;
    return cause instanceof FaultError
      ? cause
      : new FaultError(faultOfNetworkError(cause, this.#context.watch.phase));
  }

  /** Gives up every request under way: each one rejects. */
  abort(): void {
    const fault = { kind: 'closed', phase: this.#context.watch.phase, message: 'given up' } as const;
    for (const request of this.#requests.splice(0)) {
      // One that is answered in full is destroyed already, and its socket serves others.
      if (!request.destroyed) request.destroy(new FaultError(fault));
    }
  }

  #dispatch(
    { method, headers, body }: HttpAsk,
    site: Site,
    mayRetry: boolean,
  ): Promise<http.IncomingMessage> {
    const { watch, userAgent } = this.#context;
    return new Promise((resolve, reject) => {
      const askedAt = performance.now();
      const request = (site.secure ? https : http).request({
        agent: this.dialer.agentFor(site.secure),
        method,
        host: site.host,
        port: site.port,
        path: site.path,
        headers: headerLines(headers, site, userAgent, body),
      });
      this.#track(request);
      let answered: http.IncomingMessage | null = null;
      request.on('response', (response) => {
        watch.firstByte(askedAt);
        answered = response;
        resolve(response);
      });
      let hints = 0;
      request.on('information', () => {
        hints += 1;
        if (hints <= MAX_HINTS) return;
        const message = `it sent more than ${MAX_HINTS} statuses that are no answer (1xx)`;
        request.destroy(new FaultError({ kind: 'limit', phase: watch.phase, limit: 'headers', message }));
      });
      request.on('upgrade', (_response, socket) => {
        socket.destroy();
        const message = 'it answered 101, and switched to another protocol';
        reject(new FaultError({ kind: 'notMcp', phase: watch.phase, message }));
      });
      request.on('error', (error) => {
        if (answered) this.#causes.set(answered, error);
        // The server may close a kept-alive socket just as we use it again: that says nothing about it.
        const stale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
        if (stale && mayRetry) {
          this.#dispatch(
            { method, headers, url: site.url, ...(body === undefined ? {} : { body }) },
            site,
            false,
          ).then(resolve, reject);
        } else {
          reject(new FaultError(faultOfNetworkError(error, watch.phase)));
        }
      });
      request.end(body);
    });
  }

  /** Remembers what is under way, and lets go of what has ended: it holds its headers and its body. */
  #track(request: http.ClientRequest): void {
    this.#requests = this.#requests.filter((known) => !known.destroyed);
    this.#requests.push(request);
  }
}
