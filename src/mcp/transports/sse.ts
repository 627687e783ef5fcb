import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Fault } from '../../core/outcome.ts';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { createEventReader } from './event-stream.ts';
import { HttpExchange } from './http-exchange.ts';
import { httpFault } from './http-fault.ts';
import { MessageReader } from './message-reader.ts';
import { faultOfNetworkError } from './network-fault.ts';
import type { ProbeTransport } from './probe-transport.ts';

/**
 * The old HTTP+SSE transport: one event stream for all that comes, POSTs to the endpoint that it names
 * for all that goes. It never connects twice: a stream that ends is the end.
 */
export class SseTransport implements ProbeTransport {
  onmessage?: ProbeTransport['onmessage'];
  onclose?: () => void;
  onerror?: (error: Error) => void;
  failure: Fault | null = null;
  suspect: string | null = null;
  #endpoint: URL | null = null;
  #protocolVersion: string | undefined;
  #ending: Promise<void> | undefined;
  readonly #url: URL;
  readonly #headers: Record<string, string>;
  readonly #context: ProbeContext;
  readonly #exchange: HttpExchange;
  readonly #messages: MessageReader;

  constructor(url: URL, headers: Record<string, string>, context: ProbeContext) {
    this.#url = url;
    this.#headers = headers;
    this.#context = context;
    this.#exchange = new HttpExchange(context);
    this.#messages = new MessageReader('an event', context, {
      onMessage: (message) => {
        context.allowance.takeMessage(message);
        this.onmessage?.(message);
      },
      onNone: (problem) => {
        this.suspect = `in its event stream, ${problem}`;
      },
      onFault: (error) => this.#fail(faultOfNetworkError(error, context.watch.phase)),
    });
  }

  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
  }

  /** Resolves when the stream has named the endpoint. */
  async start(): Promise<void> {
    const { watch } = this.#context;
    const headers = { ...this.#headers, accept: 'text/event-stream', 'cache-control': 'no-store' };
    const { response, url } = await this.#exchange.ask({ method: 'GET', url: this.#url, headers });
    if (response.statusCode !== 200) {
      const body = await this.#exchange.readExcerpt(response);
      throw httpFault(response, watch.phase, 'the event stream', body);
    }
    const type = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (type !== 'text/event-stream') {
      response.destroy();
      const message = `it sent ${type || 'no content type'} in place of an event stream`;
      throw new FaultError({ kind: 'notMcp', phase: watch.phase, message });
    }
    await new Promise<void>((resolve, reject) => {
      const reader = createEventReader(this.#context, (event) => {
        if (event.event === 'endpoint') {
          try {
            this.#takeEndpoint(event.data, url);
            resolve();
          } catch (error) {
            reject(error);
          }
        } else if (event.data && (!event.event || event.event === 'message')) {
          this.#messages.read(event.data);
        }
      });
      this.#exchange
        .readStream(response, reader)
        .then(
          () => ({ kind: 'closed' as const, phase: watch.phase, message: 'its event stream ended' }),
          (error: unknown) => faultOfNetworkError(error, watch.phase),
        )
        .then(async (fault) => {
          reject(new FaultError(fault));
          // What came before the end is heard first.
          await this.#messages.idle();
          this.#fail(fault);
        });
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.failure) throw new FaultError(this.failure);
    const { watch } = this.#context;
    if (!this.#endpoint) throw new FaultError({ kind: 'internal', message: 'the event stream is not open' });
    const headers = {
      ...this.#headers,
      'content-type': 'application/json',
      ...(this.#protocolVersion === undefined ? {} : { 'mcp-protocol-version': this.#protocolVersion }),
    };
    const body = JSON.stringify(message);
    const { response } = await this.#exchange.ask({ method: 'POST', url: this.#endpoint, headers, body });
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) {
      const refusal = await this.#exchange.readExcerpt(response);
      throw httpFault(
        response,
        watch.phase,
        'method' in message ? message.method : 'a response of ours',
        refusal,
      );
    }
    // What a POST answers beyond its status means nothing here, but the socket wants it read; a body that
    // does not end is not waited for.
    await this.#exchange.drain(response);
  }

  close(): Promise<void> {
    return this.end();
  }

  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  #takeEndpoint(text: string, streamUrl: URL): void {
    if (this.#endpoint) return;
    const { watch, sessions } = this.#context;
    const endpoint = URL.canParse(text, streamUrl.href) ? new URL(text, streamUrl) : null;
    if (!endpoint || endpoint.origin !== streamUrl.origin) {
      // Credentials would go there: an endpoint elsewhere is refused, as the SDK does.
      const message = `the endpoint that it names is not of its own origin: ${text}`;
      throw new FaultError({ kind: 'protocol', phase: watch.phase, message });
    }
    this.#endpoint = endpoint;
    sessions.open();
  }

  #fail(fault: Fault): void {
    if (this.failure || this.#ending) return;
    this.failure = fault;
    this.onclose?.();
  }

  async #end(): Promise<void> {
    this.#messages.stop();
    if (!this.failure) this.onclose?.();
    this.#exchange.abort();
    await this.#exchange.dialer.close();
    // The session of this transport is its stream: closed with the socket.
    if (this.#endpoint) this.#context.sessions.close();
  }
}
