import * as http from 'node:http';
import * as https from 'node:https';
import { type LookupFunction, type NetConnectOpts, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, rootCertificates, TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Watched } from '../beat.ts';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { pinProblem, tlsOptionsFor } from '../tls-settings.ts';
import { describeCertificate } from './certificate.ts';

/** No probe needs more at a time; a target cannot make it open more either. */
const MAX_SOCKETS = 4;
const MIN_WIRE_BYTES = 1024 * 1024;
/** Node gives each address of a host a quarter of a second, which is less than some ways take. */
const MIN_ATTEMPT_MS = 1_000;

/**
 * Makes every socket of one probe: times DNS, connect and TLS, connects to nothing but
 * the addresses that were admitted, and knows all that is open.
 */
export class Dialer implements Watched {
  readonly #context: ProbeContext;
  readonly #sockets = new Set<Socket>();
  #plainAgent: http.Agent | undefined;
  #secureAgent: https.Agent | undefined;
  /** What every connection is made with. */
  readonly #ways: { lookup: LookupFunction; autoSelectFamilyAttemptTimeout: number };
  #allGone: (() => void) | null = null;
  /** Set when more came over the wire than a probe takes: every connection is ended then. */
  overflow: FaultError | null = null;
  #closing: Promise<void> | undefined;

  constructor(context: ProbeContext) {
    this.#context = context;
    const lookup: LookupFunction = (hostname, options, callback) => {
      context.watch.dial('dns');
      context.admission.addressesOf(hostname).then(
        (permitted) => {
          context.watch.dial('connect');
          const [first] = permitted;
          if (options.all || !first) callback(null, permitted);
          else callback(null, first.address, first.family);
        },
        (error) => callback(error, ''),
      );
    };
    const autoSelectFamilyAttemptTimeout = Math.max(MIN_ATTEMPT_MS, Math.round(context.timeoutMs / 3));
    this.#ways = { lookup, autoSelectFamilyAttemptTimeout };
  }

  /** An address in the URL itself is never looked up, so the policy is asked here; throws when it denies. */
  admit(url: URL): void {
    // Something may still be on its way to a request when the probe is over: it makes no socket any more.
    if (this.#closing) throw new FaultError({ kind: 'internal', message: 'the probe is over' });
    this.#context.admission.checkLiteral(url.hostname);
  }

  /** The keep-alive agent for plain or for TLS connections; it belongs to this probe alone. */
  agentFor(secure: boolean): http.Agent {
    if (secure) {
      const { extraCa } = this.#context;
      const ca = extraCa === undefined ? {} : { ca: [...rootCertificates, extraCa] };
      this.#secureAgent ??= this.#tap(new https.Agent({ keepAlive: true, ...ca }), true);
      return this.#secureAgent;
    }
    this.#plainAgent ??= this.#tap(new http.Agent({ keepAlive: true }), false);
    return this.#plainAgent;
  }

  /** Destroys every socket, and resolves when the last one is closed; no other is made from then on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#context.beat.remove(this);
    this.#plainAgent?.destroy();
    this.#secureAgent?.destroy();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#sockets.size === 0) return;
    await new Promise<void>((resolveGone) => {
      this.#allGone = resolveGone;
    });
  }

  /**
   * What came over the wire: headers, chunks of nothing and whatever else is no body is seen by nobody else.
   * Bounded, with room for what an honest server has of it.
   */
  look(): void {
    const { bytes, limits, watch } = this.#context;
    let received = bytes.received;
    for (const socket of this.#sockets) received += socket.bytesRead;
    const most = 2 * limits.bodyBytes + MIN_WIRE_BYTES;
    if (received <= most || this.overflow) return;
    const message = `it sent more than ${most} bytes over the wire in one probe`;
    this.overflow = new FaultError({ kind: 'limit', phase: watch.phase, limit: 'body', message });
    for (const socket of this.#sockets) socket.destroy(this.overflow);
  }

  #tap<A extends http.Agent>(agent: A, secure: boolean): A {
    agent.maxSockets = MAX_SOCKETS;
    // Its own rules for idle sockets cost a little for each request, and these live for one probe.
    agent.keepSocketAlive = () => true;
    agent.createConnection = (options: http.ClientRequestArgs) => {
      // The agent has emptied the options' `path`: with one, Node would dial a pipe. As options of the agent
      // the ways would be copied for each request.
      const dialOptions = Object.assign(options, this.#ways) as NetConnectOpts & ConnectionOptions;
      this.#context.watch.dial('connect');
      if (!secure) return this.#follow(netConnect(dialOptions), secure);
      const { host, port } = options;
      const own = tlsOptionsFor(this.#context.tlsSite, host ?? undefined, Number(port));
      const socket = tlsConnect({ ...dialOptions, ...own });
      return this.#follow(this.#pin(socket, host ?? undefined, Number(port)), secure);
    };
    return agent;
  }

  /** Ends a connection whose certificate is not the pinned one, before anything of ours is sent over it. */
  #pin(socket: TLSSocket, host: string | undefined, port: number): TLSSocket {
    socket.on('secureConnect', () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      const problem = pinProblem(this.#context.tlsSite, host, port, fingerprint256);
      if (problem !== null)
        socket.destroy(Object.assign(new Error(problem), { code: 'ERR_TLS_PIN_MISMATCH' }));
    });
    return socket;
  }

  #follow(socket: Socket, secure: boolean): Socket {
    const { watch, footprint, bytes } = this.#context;
    this.#sockets.add(socket);
    this.#context.beat.add(this);
    footprint.socketsOpen += 1;
    socket.on('connect', () => (secure ? watch.dial('tls') : watch.dialled()));
    if (socket instanceof TLSSocket) {
      const { peer } = this.#context;
      socket.on('secureConnect', () => {
        watch.dialled();
        peer.certificate ??= describeCertificate(socket.getPeerCertificate());
      });
    }
    socket.on('close', () => {
      bytes.sent += socket.bytesWritten;
      bytes.received += socket.bytesRead;
      footprint.socketsOpen -= 1;
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#allGone?.();
    });
    return socket;
  }
}
