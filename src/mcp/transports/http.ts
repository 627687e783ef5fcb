import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Fault } from '../../core/outcome.ts';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { readAnswerStream } from './answer-stream.ts';
import { HttpExchange } from './http-exchange.ts';
import { httpFault } from './http-fault.ts';
import type { HttpHeaders } from './http-request.ts';
import { parseText, toMessage } from './message-reader.ts';
import type { ProbeTransport } from './probe-transport.ts';
import { asAnswer } from './read-message.ts';
import { envelopeVersion, statelessHeaders } from './stateless-headers.ts';

const mediaType = (response: IncomingMessage) =>
  (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** A probe needs one session, and a few more when it is told twice to begin anew. */
const MAX_SESSIONS = 8;

const POST_HEADERS = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
};

/**
 * Streamable HTTP, both eras. It opens no GET stream of its own: a prober waits for nothing but the
 * answers to its requests. Sessions are ended with DELETE, also after a failure.
 */
export class HttpTransport implements ProbeTransport {
  onmessage?: ProbeTransport['onmessage'];
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly failure: Fault | null = null;
  suspect: string | null = null;
  #url: URL;
  #protocolVersion: string | undefined;
  #ending: Promise<void> | undefined;
  /** What every POST of the handshake era carries, until the session or the version changes. */
  #postHeaders: HttpHeaders | null = null;
  #callHeaders: HttpHeaders = {};
  readonly #sessionIds: string[] = [];
  readonly #context: ProbeContext;
  readonly #headers: Record<string, string>;
  readonly #exchange: HttpExchange;

  constructor(url: URL, headers: Record<string, string>, context: ProbeContext) {
    this.#url = url;
    this.#headers = headers;
    this.#context = context;
    this.#exchange = new HttpExchange(context);
  }

  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
    this.#postHeaders = null;
  }

  setCallHeaders(headers: HttpHeaders): void {
    this.#callHeaders = headers;
  }

  async start(): Promise<void> {
    // The first request makes the connection.
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const reply = await this.#exchange.ask({
      method: 'POST',
      url: this.#url,
      headers: this.#headersFor(message),
      body: JSON.stringify(message),
    });
    const { response } = reply;
    // Later requests go straight to where this one was answered.
    this.#url = reply.url;
    this.#noteSession(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) return this.#refused(response, message);
    if (!('method' in message && 'id' in message)) return this.#exchange.drain(response);
    await this.#takeAnswer(response, message.id, status);
  }

  close(): Promise<void> {
    return this.end(this.#context.limits.closeMs);
  }

  end(graceMs: number): Promise<void> {
    this.#ending ??= this.#end(graceMs);
    return this.#ending;
  }

  #headersFor(message: JSONRPCMessage): HttpHeaders {
    const version = envelopeVersion(message);
    if (version !== undefined && 'method' in message) {
      return {
        ...this.#sessionHeaders(),
        ...POST_HEADERS,
        ...(message.method === 'tools/call' ? this.#callHeaders : {}),
        ...statelessHeaders(message, version),
      };
    }
    this.#postHeaders ??= { ...this.#sessionHeaders(), ...POST_HEADERS };
    return this.#postHeaders;
  }

  #sessionHeaders(): HttpHeaders {
    const headers = { ...this.#headers };
    const sessionId = this.#sessionIds.at(-1);
    if (sessionId !== undefined) headers['mcp-session-id'] = sessionId;
    if (this.#protocolVersion !== undefined) headers['mcp-protocol-version'] = this.#protocolVersion;
    return headers;
  }

  #noteSession(response: IncomingMessage): void {
    const sessionId = response.headers['mcp-session-id'];
    if (typeof sessionId !== 'string' || sessionId === '' || this.#sessionIds.includes(sessionId)) return;
    this.#sessionIds.push(sessionId);
    this.#postHeaders = null;
    const { sessions, watch } = this.#context;
    sessions.open();
    if (sessions.opened <= MAX_SESSIONS) return;
    response.destroy();
    const message = `it opened more than ${MAX_SESSIONS} sessions in one probe`;
    throw new FaultError({ kind: 'protocol', phase: watch.phase, message });
  }

  async #refused(response: IncomingMessage, message: JSONRPCMessage): Promise<void> {
    const { phase } = this.#context.watch;
    const body = await this.#exchange.readExcerpt(response);
    const asked = 'method' in message ? message.method : 'a response of ours';
    const problem = httpFault(response, phase, asked, body);
    const { statusCode } = response;
    const answersInBody = statusCode === 400 || statusCode === 404;
    // The stateless era gives its JSON-RPC errors an HTTP status: they are answers like any other.
    if (problem.rpc && answersInBody && envelopeVersion(message) !== undefined && 'id' in message) {
      this.#deliver({ jsonrpc: '2.0', id: message.id, error: problem.rpc }, message.id);
      return;
    }
    throw problem;
  }

  async #takeAnswer(
    response: IncomingMessage,
    id: string | number | undefined,
    status: number,
  ): Promise<void> {
    const { phase } = this.#context.watch;
    const type = mediaType(response);
    if (type === 'text/event-stream') {
      return readAnswerStream(response, id, {
        exchange: this.#exchange,
        context: this.#context,
        onMessage: (message) => this.onmessage?.(message),
        onSuspect: (what) => {
          this.suspect = what;
        },
        resume: (lastEventId) => this.#resume(lastEventId),
      });
    }
    if (type === 'application/json' || type.endsWith('+json')) return this.#takeBody(response, id);
    response.destroy();
    const what =
      type === '' ? `an answer without a content type (status ${status})` : `${type} (status ${status})`;
    if (phase === 'handshake') throw new FaultError({ kind: 'notMcp', phase, message: `it sent ${what}` });
    throw new FaultError({ kind: 'protocol', phase, message: `it sent ${what} in place of an answer` });
  }

  async #takeBody(response: IncomingMessage, id: string | number | undefined): Promise<void> {
    const { phase } = this.#context.watch;
    const text = await this.#exchange.readText(response);
    let value: unknown;
    try {
      value = await parseText(text, this.#context, () => this.#ending !== undefined);
    } catch (error) {
      if (error instanceof FaultError) throw error;
      const what = text.trim() === '' ? 'an empty body' : 'a body that is not valid JSON';
      throw new FaultError({ kind: 'protocol', phase, message: `it sent ${what} as application/json` });
    }
    let answered = false;
    let taken = 0;
    for (const part of Array.isArray(value) ? value : [value]) {
      const message = toMessage(part, text, this.#context);
      if (message === null) continue;
      if (typeof message === 'string') {
        const kind = phase === 'handshake' && !Array.isArray(value) ? 'notMcp' : 'protocol';
        throw new FaultError({ kind, phase, message: `it sent JSON, and ${message}` });
      }
      answered = this.#deliver(message, id) || answered;
      taken += 1;
      // A batch may hold thousands.
      if (taken % 100 === 0) await nextTurn();
    }
    if (!answered) {
      throw new FaultError({ kind: 'protocol', phase, message: 'its answer belongs to no request of ours' });
    }
  }

  /** A server may end a stream whose events have ids, and go on with it when it is asked to. */
  async #resume(lastEventId: string): Promise<IncomingMessage | null> {
    // UTF-8, as a header holds it; no header holds control characters.
    const id = Buffer.from(lastEventId, 'utf8').toString('latin1');
    if (/[^\t\x20-\x7e\x80-\xff]/.test(id)) return null;
    const headers = { ...this.#sessionHeaders(), accept: 'text/event-stream', 'last-event-id': id };
    const { response } = await this.#exchange.ask({ method: 'GET', url: this.#url, headers });
    if (response.statusCode === 200 && mediaType(response) === 'text/event-stream') return response;
    response.destroy();
    return null;
  }

  /** Hands a message to the protocol; true when it answers the request `id`. */
  #deliver(message: JSONRPCMessage, id: string | number | undefined): boolean {
    this.#context.allowance.takeMessage(message);
    const answering = asAnswer(message, id);
    this.onmessage?.(answering ?? message);
    return answering !== null;
  }

  async #end(graceMs: number): Promise<void> {
    this.onclose?.();
    this.#exchange.abort();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#exchange.abort();
    }, graceMs);
    // One after the other: a server that opened many sessions gets no burst of requests for it.
    for (const sessionId of this.#sessionIds) {
      if (isLate) this.#context.sessions.abandon();
      else await this.#endSession(sessionId);
    }
    clearTimeout(timer);
    await this.#exchange.dialer.close();
  }

  async #endSession(sessionId: string): Promise<void> {
    const { sessions } = this.#context;
    try {
      const headers = { ...this.#sessionHeaders(), 'mcp-session-id': sessionId };
      const { response } = await this.#exchange.ask({ method: 'DELETE', url: this.#url, headers });
      void this.#exchange.drain(response);
      const status = response.statusCode ?? 0;
      // 405 and 501 say that the server ends sessions by itself, 404 and 410 that this one is gone.
      const ended = (status >= 200 && status < 300) || [404, 405, 410, 501].includes(status);
      if (ended) sessions.close();
      else sessions.abandon();
    } catch {
      // What went wrong with the DELETE shows in the footprint: the probe's own fault stands.
      sessions.abandon();
    }
  }
}
