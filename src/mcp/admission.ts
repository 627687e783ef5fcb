import { isIP } from 'node:net';
import type { Endpoint } from '../core/target.ts';
import type { Address, Resolver } from './dns/resolver.ts';
import type { EgressPolicy } from './egress.ts';
import { FaultError } from './fault-error.ts';
import type { Children } from './processes/children.ts';

/**
 * What one probe may connect to. A name is resolved once for the whole probe and judged then: every later
 * connection goes to the addresses that were judged, whatever the name means by then.
 */
export class Admission {
  readonly #egress: EgressPolicy | undefined;
  readonly #resolver: Resolver;
  readonly #judged = new Map<string, Promise<Address[]>>();
  #isOver = false;

  readonly #children: Pick<Children, 'refusal'>;

  constructor(egress: EgressPolicy | undefined, resolver: Resolver, children: Pick<Children, 'refusal'>) {
    this.#children = children;
    this.#egress = egress;
    this.#resolver = resolver;
  }

  /** The permitted addresses of `host`; rejects with an egress fault where there is none, or with DNS's error. */
  addressesOf(host: string): Promise<Address[]> {
    let judged = this.#judged.get(host);
    if (!judged) {
      judged = this.#judge(host);
      this.#judged.set(host, judged);
    }
    return judged;
  }

  /** Throws an egress fault when `host` is an address, and not a permitted one; names are judged as they resolve. */
  checkLiteral(host: string): void {
    const bare = host.replace(/^\[|\]$/g, '');
    if (isIP(bare) === 0) return;
    const refusal = this.#egress?.check(bare, bare) ?? null;
    if (refusal !== null) throw new FaultError({ kind: 'egress', message: refusal });
  }

  /** Whether the endpoint may be reached, before anything secret of it is opened. */
  async check(endpoint: Endpoint): Promise<void> {
    if (endpoint.transport === 'stdio') return this.checkCommand(endpoint);
    const { hostname } = endpoint.url;
    this.checkLiteral(hostname);
    if (isIP(hostname.replace(/^\[|\]$/g, '')) === 0) await this.addressesOf(hostname);
  }

  /** Throws a `command` fault when the command may not be run, or not with that environment. */
  checkCommand({ command, args, env }: Extract<Endpoint, { transport: 'stdio' }>): void {
    const refusal = this.#children.refusal([command, ...args], Object.keys(env));
    if (refusal !== null) throw new FaultError({ kind: 'command', message: refusal });
  }

  /** The probe is over: what is still to be resolved for it is not begun. */
  close(): void {
    this.#isOver = true;
  }

  async #judge(host: string): Promise<Address[]> {
    const addresses = await this.#resolver.resolve(host, () => !this.#isOver);
    const refusals = addresses.map(({ address }) => this.#egress?.check(host, address) ?? null);
    const permitted = addresses.filter((_, index) => refusals[index] === null);
    if (permitted.length > 0) return permitted;
    const reason = refusals.find((refusal) => refusal !== null) ?? 'it has no address';
    throw new FaultError({ kind: 'egress', message: `${host}: ${reason}` });
  }
}
