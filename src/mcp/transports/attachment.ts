import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { ProbeTransport } from './probe-transport.ts';

/** A transport and whether it is connected: two eras may be tried on one connection. */
export interface Link {
  transport: ProbeTransport;
  started: boolean;
}

/**
 * What a protocol object is connected to: the transport without its end. The SDK closes its transport
 * when a handshake fails, and the probe still has to end the session, or to try the other era, on it.
 * It shows no session id either: the SDK's client takes one for a sign that no handshake is needed.
 */
export class Attachment implements Transport {
  onmessage?: Transport['onmessage'];
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** The result of the first response, as sent: the SDK gives none when its checks fail. */
  firstResult: Record<string, unknown> | null = null;
  protocolVersion: string | null = null;
  readonly #link: Link;
  /** Requests that are not answered yet, as texts: some servers give a number back as one. */
  readonly #asked = new Set<string>();

  constructor(link: Link) {
    this.#link = link;
  }

  async start(): Promise<void> {
    const { transport } = this.#link;
    transport.onmessage = (message: JSONRPCMessage) => {
      if (this.firstResult === null && 'result' in message) this.firstResult = message.result;
      // The SDK goes to great lengths over what it then drops: notifications, and answers to nothing.
      const isWanted = 'method' in message ? 'id' in message : this.#asked.delete(String(message.id));
      if (isWanted) this.onmessage?.(message);
    };
    transport.onclose = () => this.onclose?.();
    transport.onerror = (error) => this.onerror?.(error);
    if (this.#link.started) return;
    await transport.start();
    this.#link.started = true;
  }

  send(message: JSONRPCMessage): Promise<void> {
    if ('method' in message && 'id' in message) this.#asked.add(String(message.id));
    return this.#link.transport.send(message);
  }

  async close(): Promise<void> {
    this.onclose?.();
  }

  setProtocolVersion(version: string): void {
    this.protocolVersion = version;
    this.#link.transport.setProtocolVersion?.(version);
  }
}
