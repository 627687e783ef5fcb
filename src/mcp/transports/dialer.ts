import { lookup as resolve } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction, connect as netConnect, type Socket } from 'node:net';
import { rootCertificates, connect as tlsConnect } from 'node:tls';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';

/** Marks the error that a lookup gives when the policy forbids every address of a host. */
export const EGRESS_DENIED = 'EGRESS_DENIED';

/**
 * Makes every socket of one probe: times DNS, connect and TLS, asks the egress policy about each address
 * after DNS (the address asked about is the one connected to), and knows all that is open.
 */
export class Dialer {
  readonly #context: ProbeContext;
  readonly #sockets = new Set<Socket>();
  readonly #agents = new Map<string, http.Agent>();
  readonly #lookup: LookupFunction;
  #allGone: (() => void) | null = null;
  #closed = false;

  constructor(context: ProbeContext) {
    this.#context = context;
    this.#lookup = (hostname, options, callback) => {
      context.watch.dial('dns');
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        context.watch.dial('connect');
        if (error) return callback(error, '');
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
  }

  /** An address in the URL itself is never looked up, so the policy is asked here; throws when it denies. */
  admit(url: URL): void {
    // Something may still be on its way to a request when the probe is over: it makes no socket any more.
    if (this.#closed) throw new FaultError({ kind: 'internal', message: 'the probe is over' });
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) === 0) return;
    const refusal = this.#context.egress?.check(host, host) ?? null;
    if (refusal !== null) throw new FaultError({ kind: 'egress', message: refusal });
  }

  /** The keep-alive agent for the URL's scheme; it belongs to this probe alone. */
  agentFor(url: URL): http.Agent {
    const secure = url.protocol === 'https:' || url.protocol === 'wss:';
    const key = secure ? 'secure' : 'plain';
    let agent = this.#agents.get(key);
    if (!agent) {
      agent = secure ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
      agent.createConnection = (options) => this.#open(options, secure);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /** Destroys every socket, and resolves when the last one is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const agent of this.#agents.values()) agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#sockets.size > 0) {
      await new Promise<void>((resolveGone) => {
        this.#allGone = resolveGone;
      });
    }
  }

  #open(options: http.ClientRequestArgs, secure: boolean): Socket {
    const { watch, footprint, extraCa } = this.#context;
    const { host, port } = options;
    // An agent passes the request's options on; `path` would make Node dial a pipe.
    const dialOptions = {
      ...options,
      path: undefined,
      host: host ?? undefined,
      port: Number(port),
      lookup: this.#lookup,
    };
    watch.dial('connect');
    const ca = extraCa === undefined ? {} : { ca: [...rootCertificates, extraCa] };
    const socket = secure ? tlsConnect({ ...dialOptions, ...ca }) : netConnect(dialOptions);
    this.#sockets.add(socket);
    footprint.socketsOpen += 1;
    socket.once('connect', () => (secure ? watch.dial('tls') : watch.dialled()));
    if (secure) socket.once('secureConnect', () => watch.dialled());
    socket.once('close', () => {
      footprint.socketsOpen -= 1;
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#allGone?.();
    });
    return socket;
  }
}
