import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { ByteCounts, Fault, ServerCertificate } from '../core/outcome.ts';
import { Admission } from './admission.ts';
import type { Beat } from './beat.ts';
import type { BulkLane, LaneShare } from './bulk-lane.ts';
import type { Resolver } from './dns/resolver.ts';
import type { EgressPolicy } from './egress.ts';
import { FaultError } from './fault-error.ts';
import { type Footprint, SessionLedger } from './footprint.ts';
import type { ProbeLimits } from './limits.ts';
import type { Children } from './processes/children.ts';
import { Stopwatch } from './stopwatch.ts';
import type { TlsSite } from './tls-settings.ts';

/** What the probes of one prober have in common, as far as transports see it. */
export interface ProbeTools {
  limits: ProbeLimits;
  egress: EgressPolicy | undefined;
  resolver: Resolver;
  children: Children;
  footprint: Footprint;
  userAgent: string;
  /** Certificate authorities besides Node's own, as PEM. */
  extraCa: string | undefined;
  /** What a child inherits before the target's own variables. */
  childEnvironment: Record<string, string>;
  /** Where those whose targets send much take turns. */
  bulk: BulkLane;
  beat: Beat;
}

/** What one probe's transport is given: clocks, bounds, counters and rules, and nothing global. */
export interface ProbeContext extends Omit<ProbeTools, 'bulk'> {
  /** What the whole probe may take. */
  timeoutMs: number;
  watch: Stopwatch;
  /** Where it may connect to. */
  admission: Admission;
  allowance: Allowance;
  /** Its turns, once its target sends much. */
  lane: LaneShare;
  sessions: SessionLedger;
  /** What the target showed first, by TLS. */
  peer: { certificate: ServerCertificate | null };
  /** What went over its sockets and pipes, counted where they end. */
  bytes: ByteCounts;
  /** How its certificate is judged, beside the ordinary rules; null: by those alone. */
  tlsSite: TlsSite | null;
}

/** What a target may still send in this probe. */
export class Allowance {
  #bytes = 0;
  #messages = 0;
  #questions = 0;
  #maxBytes: number;
  /** What the bytes from now on are an answer to, when they are bounded apart. */
  #scope: { name: string; bytes: number } | null = null;
  readonly #limits: ProbeLimits;
  readonly #watch: Stopwatch;

  constructor(limits: ProbeLimits, watch: Stopwatch) {
    this.#limits = limits;
    this.#maxBytes = limits.bodyBytes;
    this.#watch = watch;
  }

  /** From now on no more than `bytes`, whatever is left of the whole probe's. */
  narrow(name: string, bytes: number): void {
    this.#scope = { name, bytes };
    this.#maxBytes = Math.min(this.#maxBytes, this.#bytes + bytes);
  }

  /** Throws once the probe has received more than it takes. */
  takeBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#maxBytes) throw new FaultError(this.tooManyBytes());
  }

  /** Throws once the probe has received more messages than it takes, or more questions than it answers. */
  takeMessage(message: JSONRPCMessage): void {
    const { messages, questions } = this.#limits;
    this.#messages += 1;
    if ('method' in message && 'id' in message) this.#questions += 1;
    const tooMany =
      this.#messages > messages
        ? `it sent more than ${messages} messages in one probe`
        : this.#questions > questions
          ? `it asked more than ${questions} things of us in one probe`
          : null;
    if (tooMany === null) return;
    throw new FaultError({ kind: 'limit', phase: this.#watch.stage, limit: 'messages', message: tooMany });
  }

  /** Whether an announced length would pass the bound, so that nothing of it needs to be read. */
  affords(byteCount: number): boolean {
    return this.#bytes + byteCount <= this.#maxBytes;
  }

  tooManyBytes(): Fault {
    return {
      kind: 'limit',
      phase: this.#watch.stage,
      limit: 'body',
      message: this.#scope
        ? `it sent more than ${this.#scope.bytes} bytes in answer to ${this.#scope.name}`
        : `it sent more than ${this.#limits.bodyBytes} bytes in one probe`,
    };
  }
}

/** The context of a probe of this target that begins now, and has `timeoutMs`. */
export function createContext(tools: ProbeTools, targetId: string, timeoutMs: number): ProbeContext {
  const { limits, egress, resolver, children, footprint, userAgent, extraCa, childEnvironment, bulk, beat } =
    tools;
  const watch = new Stopwatch();
  return {
    timeoutMs,
    limits,
    egress,
    resolver,
    children,
    admission: new Admission(egress, resolver, children),
    footprint,
    userAgent,
    extraCa,
    childEnvironment,
    watch,
    allowance: new Allowance(limits, watch),
    lane: bulk.join(targetId),
    beat,
    sessions: new SessionLedger(footprint),
    peer: { certificate: null },
    bytes: { sent: 0, received: 0 },
    tlsSite: null,
  };
}
