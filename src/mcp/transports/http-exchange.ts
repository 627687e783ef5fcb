import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { Dialer } from './dialer.ts';
import { faultOfNetworkError } from './network-fault.ts';

const MAX_REDIRECTS = 5;

export interface HttpAsk {
  method: 'GET' | 'POST' | 'DELETE';
  url: URL;
  headers: http.OutgoingHttpHeaders;
  body?: string;
}

export interface HttpReply {
  response: http.IncomingMessage;
  /** Where the answer came from, after redirects within the origin. */
  url: URL;
}

/** Whether `to` is where `from` is, or the same host moved from http to https on the default ports. */
export function staysWithin(from: URL, to: URL): boolean {
  if (to.username !== from.username || to.password !== from.password) return false;
  if (from.origin === to.origin) return true;
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:';
  return upgraded && from.hostname === to.hostname && from.port === '' && to.port === '';
}

/** The HTTP of one probe: requests, redirects that stay within the origin, and bounded bodies. */
export class HttpExchange {
  readonly dialer: Dialer;
  readonly #context: ProbeContext;
  readonly #requests = new Set<http.ClientRequest>();

  constructor(context: ProbeContext) {
    this.#context = context;
    this.dialer = new Dialer(context);
  }

  /** Resolves with the response's head; rejects with a FaultError. */
  async ask(ask: HttpAsk): Promise<HttpReply> {
    let { url } = ask;
    for (let followed = 0; ; followed += 1) {
      const response = await this.#once({ ...ask, url });
      const next = followed < MAX_REDIRECTS ? followable(response, ask.method, url) : undefined;
      if (!next) return { response, url };
      response.resume();
      url = next;
    }
  }

  /** The whole body as text, decompressed, within what the probe may still receive. */
  readText(response: http.IncomingMessage): Promise<string> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      this.readChunks(response, (chunk) => chunks.push(chunk)).then(() => {
        const [first] = chunks;
        resolve(
          chunks.length === 1 && first ? first.toString('utf8') : Buffer.concat(chunks).toString('utf8'),
        );
      }, reject);
    });
  }

  /** The text as it comes, never split within a character; resolves when the body has ended. */
  readStream(response: http.IncomingMessage, onText: (text: string) => void): Promise<void> {
    const decoder = new StringDecoder('utf8');
    return this.readChunks(response, (chunk) => onText(decoder.write(chunk)));
  }

  /** Feeds `onChunk`; what that throws ends the reading, and the response with it. */
  readChunks(response: http.IncomingMessage, onChunk: (chunk: Buffer) => void): Promise<void> {
    const { allowance, watch } = this.#context;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        response.destroy();
        reject(error instanceof FaultError ? error : new FaultError(faultOfNetworkError(error, watch.phase)));
      };
      const announced = Number(response.headers['content-length']);
      if (announced > 0 && !allowance.affords(announced)) {
        return fail(new FaultError(allowance.tooManyBytes()));
      }
      const source = decompressed(response);
      source.on('data', (chunk: Buffer) => {
        try {
          allowance.takeBytes(chunk.length);
          onChunk(chunk);
        } catch (error) {
          fail(error);
        }
      });
      source.once('end', resolve);
      source.once('error', fail);
      response.once('error', fail);
      // A body that is cut off ends without 'end'; a promise settles once, so the order does not matter.
      response.once('close', () => {
        if (!response.complete) fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
      });
    });
  }

  /** Gives up every request under way: each one rejects. */
  abort(): void {
    const fault = { kind: 'closed', phase: this.#context.watch.phase, message: 'given up' } as const;
    for (const request of this.#requests) request.destroy(new FaultError(fault));
    this.#requests.clear();
  }

  async #once(ask: HttpAsk): Promise<http.IncomingMessage> {
    this.dialer.admit(ask.url);
    try {
      return await this.#dispatch(ask);
    } catch (error) {
      if (!(error instanceof StaleSocketError)) throw error;
      return this.#dispatch(ask);
    }
  }

  #dispatch({ method, url, headers, body }: HttpAsk): Promise<http.IncomingMessage> {
    const { watch, userAgent } = this.#context;
    return new Promise((resolve, reject) => {
      const askedAt = performance.now();
      const request = (url.protocol === 'https:' ? https : http).request({
        agent: this.dialer.agentFor(url),
        method,
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port || (url.protocol === 'https:' ? 443 : 80),
        path: url.pathname + url.search,
        headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...headers },
      });
      this.#requests.add(request);
      request.once('response', (response) => {
        watch.firstByte(askedAt);
        response.once('close', () => this.#requests.delete(request));
        resolve(response);
      });
      request.once('error', (error) => {
        this.#requests.delete(request);
        // The server may close a kept-alive socket just as we use it again: that says nothing about it.
        const stale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
        const fault = faultOfNetworkError(error, watch.phase);
        reject(stale ? new StaleSocketError(fault) : new FaultError(fault));
      });
      request.end(body);
    });
  }
}

/** A request failed on a socket that had served before: worth one more try on a fresh one. */
class StaleSocketError extends FaultError {}

/** Where a redirect may be followed to: the same origin, with the method kept. */
function followable(response: http.IncomingMessage, method: string, from: URL): URL | undefined {
  const { statusCode, headers } = response;
  const keepsMethod = statusCode === 307 || statusCode === 308;
  const plain = method === 'GET' && (statusCode === 301 || statusCode === 302 || statusCode === 303);
  if (!(keepsMethod || plain) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, from.href)) return undefined;
  const to = new URL(headers.location, from);
  return staysWithin(from, to) ? to : undefined;
}

function decompressed(response: http.IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return response.pipe(createGunzip());
  if (encoding === 'deflate') return response.pipe(createInflate());
  if (encoding === 'br') return response.pipe(createBrotliDecompress());
  return response;
}
