import { lookup as resolve } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction, type NetConnectOpts, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, rootCertificates, TLSSocket, connect as tlsConnect } from 'node:tls';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { describeCertificate } from './certificate.ts';

/** Marks the error that a lookup gives when the policy forbids every address of a host. */
export const EGRESS_DENIED = 'EGRESS_DENIED';

/** No probe needs more at a time; a target cannot make it open more either. */
const MAX_SOCKETS = 4;
/** Node gives each address of a host a quarter of a second, which is less than some ways take. */
const MIN_ATTEMPT_MS = 1_000;

/**
 * Makes every socket of one probe: times DNS, connect and TLS, asks the egress policy about each address
 * after DNS (the address asked about is the one connected to), and knows all that is open.
 */
export class Dialer {
  readonly #context: ProbeContext;
  readonly #sockets = new Set<Socket>();
  #plainAgent: http.Agent | undefined;
  #secureAgent: https.Agent | undefined;
  readonly #agentOptions: https.AgentOptions & { lookup: LookupFunction };
  #allGone: (() => void) | null = null;
  #closing: Promise<void> | undefined;

  constructor(context: ProbeContext) {
    this.#context = context;
    const lookup: LookupFunction = (hostname, options, callback) => {
      context.watch.dial('dns');
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, '');
        context.watch.dial('connect');
        const refusals = addresses.map(({ address }) => context.egress?.check(hostname, address) ?? null);
        const permitted = addresses.filter((_, index) => refusals[index] === null);
        const [first] = permitted;
        if (!first) {
          const reason = refusals.find((refusal) => refusal !== null) ?? 'it has no address';
          return callback(Object.assign(new Error(`${hostname}: ${reason}`), { code: EGRESS_DENIED }), '');
        }
        if (options.all) return callback(null, permitted);
        return callback(null, first.address, first.family);
      });
    };
    const autoSelectFamilyAttemptTimeout = Math.max(MIN_ATTEMPT_MS, Math.round(context.timeoutMs / 3));
    this.#agentOptions = { keepAlive: true, maxSockets: MAX_SOCKETS, lookup, autoSelectFamilyAttemptTimeout };
  }

  /** An address in the URL itself is never looked up, so the policy is asked here; throws when it denies. */
  admit(url: URL): void {
    // Something may still be on its way to a request when the probe is over: it makes no socket any more.
    if (this.#closing) throw new FaultError({ kind: 'internal', message: 'the probe is over' });
    const { egress } = this.#context;
    if (!egress) return;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) === 0) return;
    const refusal = egress.check(host, host);
    if (refusal !== null) throw new FaultError({ kind: 'egress', message: refusal });
  }

  /** The keep-alive agent for plain or for TLS connections; it belongs to this probe alone. */
  agentFor(secure: boolean): http.Agent {
    if (secure) {
      const { extraCa } = this.#context;
      const ca = extraCa === undefined ? {} : { ca: [...rootCertificates, extraCa] };
      this.#secureAgent ??= this.#tap(new https.Agent({ ...this.#agentOptions, ...ca }), true);
      return this.#secureAgent;
    }
    this.#plainAgent ??= this.#tap(new http.Agent(this.#agentOptions), false);
    return this.#plainAgent;
  }

  /** Destroys every socket, and resolves when the last one is closed; no other is made from then on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#plainAgent?.destroy();
    this.#secureAgent?.destroy();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#sockets.size === 0) return;
    await new Promise<void>((resolveGone) => {
      this.#allGone = resolveGone;
    });
  }

  #tap<A extends http.Agent>(agent: A, secure: boolean): A {
    agent.createConnection = (options: http.ClientRequestArgs) => {
      // The agent has emptied the options' `path`: with one, Node would dial a pipe.
      const dialOptions = options as NetConnectOpts & ConnectionOptions;
      this.#context.watch.dial('connect');
      return this.#follow(secure ? tlsConnect(dialOptions) : netConnect(dialOptions), secure);
    };
    return agent;
  }

  #follow(socket: Socket, secure: boolean): Socket {
    const { watch, footprint, bytes } = this.#context;
    this.#sockets.add(socket);
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
