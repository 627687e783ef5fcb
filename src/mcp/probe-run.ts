import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { CanarySettings } from '../core/monitor/canary-settings.ts';
import type { CanaryOutcome, Fault, Inventory, ProbeOutcome, Warning } from '../core/outcome.ts';
import type { Sliced } from '../core/slices.ts';
import type { Era, ProbeTarget } from '../core/target.ts';
import { CANARY_ANSWER_BYTES, callCanary } from './call-canary.ts';
import { callHeaders } from './call-headers.ts';
import { createContext, type ProbeContext, type ProbeTools } from './context.ts';
import { FaultError } from './fault-error.ts';
import { describeError, faultOf } from './fault-of.ts';
import { listInventory, rpcCodeOf } from './list-inventory.ts';
import { eraOrder, isSilence, moreTelling, otherEraMayAnswer } from './negotiate.ts';
import type { TokenCache } from './oauth.ts';
import { openHandshake } from './open-handshake.ts';
import { openStateless } from './open-stateless.ts';
import { createTransport } from './open-transport.ts';
import type { Opened } from './opened.ts';
import type { ProbeRequest } from './probe-request.ts';
import { ProbeTokens } from './probe-tokens.ts';
import { createScrubber, type Scrubber } from './scrub.ts';
import { type Greeting, scrubGreeting, scrubInventory } from './scrub-content.ts';
import { secretsOfCall } from './secrets-of.ts';
import type { Link } from './transports/attachment.ts';
import { faultOfNetworkError } from './transports/network-fault.ts';

/** What all probes of one prober have in common. */
export interface SharedTools extends ProbeTools {
  clientInfo: { name: string; version: string };
  tokens: TokenCache;
}

const AnyResult = z.unknown();
/** A target that was probed with time to spare gets this long to end its session. */
const RELAXED_CLOSE_MS = 2_000;
/** The SDK's own timers only have to be later than ours, which is the one that counts. */
const SDK_TIMEOUT_SLACK_MS = 60_000;
/** What a call leaves of the probe's time, so that its own end comes before that of the probe. */
const AFTER_CALL_MS = 50;
/** How long the greeting of one era may stay unanswered before the other is tried. */
const MAX_SILENCE_MS = 3_000;

/** One probe of one target, from the first byte to the last socket. */
export class ProbeRun {
  #over = false;
  #link: Link | null = null;
  #opened: Opened | null = null;
  /** What the opened session began with, without our secrets. */
  #greeting: Greeting = { capabilities: null, instructions: null };
  #inventory: Inventory | null = null;
  #listingDigest: string | null = null;
  #canary: CanaryOutcome | null = null;
  #cancelled: Fault | null = null;
  #interrupt: (fault: Fault | null) => void = () => undefined;
  readonly #warnings: Warning[] = [];
  readonly #interrupted: Promise<Fault | null>;
  readonly #shared: SharedTools;
  #target: ProbeTarget;
  readonly #wantsInventory: boolean;
  readonly #canarySettings: CanarySettings | null;
  readonly #signal: AbortSignal | undefined;
  readonly #context: ProbeContext;
  readonly #tokens: ProbeTokens;
  #lastScrubber: { target: ProbeTarget; tokens: number; scrubber: Scrubber } | null = null;

  constructor(shared: SharedTools, target: ProbeTarget, request: ProbeRequest) {
    this.#shared = shared;
    this.#target = target;
    this.#wantsInventory = request.inventory ?? true;
    this.#canarySettings = request.canary ?? null;
    this.#signal = request.signal;
    this.#context = createContext(shared, target.id, target.timeoutMs);
    this.#tokens = new ProbeTokens(shared.tokens, this.#context);
    this.#useTls(target);
    this.#interrupted = new Promise((resolve) => {
      this.#interrupt = resolve;
    });
  }

  /** Ends the probe as soon as what it has open can be ended. */
  cancel(message: string): void {
    this.#cancelled ??= { kind: 'internal', message };
    this.#interrupt(this.#cancelled);
  }

  /** Runs the probe; never rejects. */
  async outcome(): Promise<ProbeOutcome> {
    const { watch } = this.#context;
    const onAbort = () => this.cancel('the probe was cancelled');
    if (this.#signal?.aborted) onAbort();
    // Nothing is begun for a probe that is not wanted any more.
    if (this.#cancelled) {
      this.#context.lane.leave();
      return this.#compose(this.#cancelled);
    }
    this.#signal?.addEventListener('abort', onAbort, { once: true });
    // A call that is still under way is the canary's failure: all else went well by then.
    const late = () => this.#interrupt(this.#canary ? null : this.#timeoutFault());
    const deadline = setTimeout(late, this.#target.timeoutMs);
    const work = this.#work().then(
      () => {
        // Every request was answered, so that the SDK has nothing to be told of the end.
        if (this.#link && !this.#canary) this.#link.transport.onclose = () => undefined;
        return null;
      },
      (error: unknown) => faultOf(error, this.#link?.transport ?? null, watch.phase),
    );
    // An interruption that came first wins: nothing has been sent then.
    const fault = await Promise.race([this.#interrupted, work]);
    this.#over = true;
    this.#context.admission.close();
    clearTimeout(deadline);
    this.#signal?.removeEventListener('abort', onAbort);
    watch.enter('close');
    const trouble = await this.#leaveNothing();
    this.#context.lane.leave(fault === null && this.#inventory !== null);
    watch.stop();
    return this.#compose(fault ?? trouble);
  }

  async #work(): Promise<void> {
    await this.#reveal();
    const target = this.#target;
    const { credentials } = target;
    const { watch } = this.#context;
    try {
      await this.#session();
      if (credentials.kind !== 'oauth') return;
      const problem = await this.#tokens.renew(target, credentials);
      if (problem !== null) this.#warnings.push({ code: 'oauth_renewal_failed', message: problem });
    } catch (error) {
      const fault = faultOf(error, this.#link?.transport ?? null, watch.phase);
      if (this.#over || fault.kind !== 'http' || fault.status !== 401) throw error;
      if (credentials.kind !== 'oauth') throw new FaultError(await this.#tokens.withWants(fault, target));
      watch.enter('auth');
      await this.#link?.transport.end(this.#context.limits.closeMs);
      await this.#tokens.authorize(target, credentials, fault.challenge);
      await this.#session();
    }
  }

  /** Opens sealed credentials, once it is sure that the target may be reached at all. */
  async #reveal(): Promise<void> {
    const { reveal, endpoint } = this.#target;
    if (!reveal) return;
    const { admission, watch } = this.#context;
    watch.dial('dns');
    try {
      await admission.check(endpoint);
    } catch (error) {
      throw new FaultError(faultOfNetworkError(error, watch.phase));
    }
    watch.dialled();
    // A probe that was given up while it waited for the DNS has no use for a secret.
    if (this.#over) throw new Error('the probe is over');
    const revealed = reveal();
    if ('kind' in revealed) throw new FaultError(revealed);
    this.#target = revealed;
    this.#useTls(revealed);
  }

  #useTls({ tls, endpoint }: ProbeTarget): void {
    if (!tls || endpoint.transport === 'stdio') return;
    const { hostname, port } = endpoint.url;
    const host = hostname.toLowerCase().replace(/^\[|\]$/g, '');
    this.#context.tlsSite = { host, port: port === '' ? 443 : Number(port), settings: tls };
    if (tls.insecure) {
      const message = 'its certificate is not verified: auth_config.custom.tls.insecure is set';
      this.#warnings.push({ code: 'tls_not_verified', message });
    }
  }

  async #session(): Promise<void> {
    const { watch, limits, lane } = this.#context;
    await this.#newLink();
    watch.enter('handshake');
    const opened = await this.#open();
    this.#opened = opened;
    const isOver = () => this.#over || this.#link?.transport.failure != null;
    const inTurns = <Result>(work: Sliced<Result>) => lane.run(work, isOver);
    this.#greeting = await inTurns(scrubGreeting(opened, this.#scrubber().content));
    if (opened.era === 'handshake') {
      watch.enter('ping');
      await this.#ping(opened);
    }
    if (!this.#wantsInventory) return;
    watch.enter('list');
    const listed = await listInventory(opened, limits, this.#sdkTimeoutMs, isOver, inTurns, describeError);
    this.#inventory = await inTurns(scrubInventory(listed.inventory, this.#scrubber().content));
    this.#listingDigest = listed.digest;
    this.#warnings.push(...listed.warnings);
    await this.#sing(opened, listed);
  }

  /** Calls the canary's tool where one is asked for; what goes wrong with that is no fault of the probe's. */
  async #sing(
    opened: Opened,
    { inventory, warnings }: Awaited<ReturnType<typeof listInventory>>,
  ): Promise<void> {
    const canary = this.#canarySettings;
    if (!canary || warnings.some(({ code, kind }) => code === 'list_failed' && kind === 'tools')) return;
    const { watch, allowance } = this.#context;
    watch.enter('canary');
    // What stands when the deadline of the whole probe comes first.
    const failure = `the call of ${canary.tool} failed: no answer within the probe’s deadline`;
    this.#canary = { ok: false, tool: canary.tool, allowed: true, ms: 0, failure };
    const outcome = await callCanary({
      opened,
      canary,
      tools: inventory.tools,
      leftMs: this.#target.timeoutMs - watch.elapsedMs - AFTER_CALL_MS,
      sdkTimeoutMs: this.#sdkTimeoutMs,
      onCall: (tool) => {
        allowance.narrow('a call', CANARY_ANSWER_BYTES);
        this.#link?.transport.setCallHeaders?.(callHeaders(tool, canary.arguments));
      },
      describe: (error) => faultOf(error, this.#link?.transport ?? null, watch.phase).message,
    });
    if (!this.#over) this.#canary = outcome;
  }

  /** Greets in the expected era, and in the other one when that is how the server answers. */
  async #open(): Promise<Opened> {
    const [first, second] = eraOrder(this.#target.era);
    try {
      return await this.#greet(first, this.#silenceMs);
    } catch (thrown) {
      const failure = this.#link?.transport.failure;
      // The SDK knows of a connection that broke only that it did.
      const error = failure && !(thrown instanceof FaultError) ? new FaultError(failure) : thrown;
      if (this.#over || !this.#link?.started || !otherEraMayAnswer(first, error)) throw error;
      if (failure) await this.#newLink();
      try {
        return await this.#greet(second, this.#silenceMs);
      } catch (other) {
        // Over HTTP silence may be slowness: a server that does answer, and in the expected era alone, is
        // asked again without haste.
        const isSlow = isSilence(error) && otherEraMayAnswer(second, other) && !this.#over;
        if (isSlow && this.#target.endpoint.transport === 'http') return await this.#greet(first, null);
        throw moreTelling(error, other);
      }
    }
  }

  #greet(era: Era, silenceMs: number | null): Promise<Opened> {
    const link = this.#link;
    if (!link) throw new Error('there is no transport to greet on');
    const { clientInfo } = this.#shared;
    if (era === 'handshake') return openHandshake(link, clientInfo, this.#sdkTimeoutMs);
    return openStateless(link, clientInfo, this.#sdkTimeoutMs, silenceMs);
  }

  async #ping({ protocol }: Opened): Promise<void> {
    try {
      await protocol.request({ method: 'ping' }, AnyResult, { timeout: this.#sdkTimeoutMs });
    } catch (error) {
      if (this.#over || rpcCodeOf(error) !== ErrorCode.MethodNotFound) throw error;
      this.#warnings.push({ code: 'ping_not_implemented', message: 'it does not implement ping' });
    }
  }

  /** Replaces the transport; what the one before had open is ended first. */
  async #newLink(): Promise<void> {
    await this.#link?.transport.end(this.#context.limits.closeMs);
    if (this.#over) throw new Error('the probe is over');
    const headers = this.#tokens.headersFor(this.#target);
    // What was opened on the link before says nothing of this one: its era would be taken for confirmed.
    this.#opened = null;
    this.#greeting = { capabilities: null, instructions: null };
    this.#link = {
      transport: createTransport(this.#target.endpoint, headers, this.#context),
      started: false,
    };
  }

  /** Ends the session, the sockets and the processes; what goes wrong with that is a fault of ours. */
  async #leaveNothing(): Promise<Fault | null> {
    const { limits, watch } = this.#context;
    const leftMs = Math.max(0, this.#target.timeoutMs - watch.elapsedMs);
    const graceMs = Math.min(RELAXED_CLOSE_MS, limits.closeMs + leftMs);
    try {
      await Promise.all([this.#tokens.end(), this.#link?.transport.end(graceMs)]);
      return null;
    } catch (error) {
      return { kind: 'internal', message: `the probe could not be ended: ${describeError(error)}` };
    }
  }

  #timeoutFault(): Fault {
    const { watch } = this.#context;
    const { phase } = watch;
    const suspect = this.#link?.transport.suspect;
    // Something did come, and it was no answer: that is worth more than the silence after it.
    if (suspect) return { kind: 'protocol', phase, message: `${suspect}, and no answer came` };
    const afterMs = Math.round(watch.elapsedMs);
    return {
      kind: 'timeout',
      phase,
      afterMs,
      message: `no answer within ${this.#target.timeoutMs} ms (${phase})`,
    };
  }

  /** Knows every secret of this probe, as far as it has come; made anew only when there are more of them. */
  #scrubber(): Scrubber {
    const { issued } = this.#tokens;
    const last = this.#lastScrubber;
    if (last?.target === this.#target && last.tokens === issued.length) return last.scrubber;
    const call = [...secretsOfCall(this.#canarySettings?.arguments)];
    const scrubber = createScrubber(this.#target, [...issued, ...call]);
    this.#lastScrubber = { target: this.#target, tokens: issued.length, scrubber };
    return scrubber;
  }

  #compose(fault: Fault | null): ProbeOutcome {
    const { watch, sessions } = this.#context;
    const opened = this.#opened;
    const scrubber = this.#scrubber();
    return {
      transport: this.#target.endpoint.transport,
      era: opened?.era ?? null,
      protocolVersion: opened?.protocolVersion == null ? null : scrubber.line(opened.protocolVersion),
      serverInfo: opened?.serverInfo ? scrubber.serverInfo(opened.serverInfo) : null,
      capabilities: this.#greeting.capabilities,
      instructions: this.#greeting.instructions,
      // A listing that was not finished would look like one of which the rest has vanished.
      inventory: fault ? null : this.#inventory,
      certificate: this.#context.peer.certificate,
      listingDigest: fault ? null : this.#listingDigest,
      phases: { ...watch.times },
      totalMs: watch.elapsedMs,
      fault: fault && scrubber.fault(fault),
      warnings: this.#warnings.map((warning) => scrubber.warning(warning)),
      canary: fault || !this.#canary ? null : scrubber.canary(this.#canary),
      bytes: { ...this.#context.bytes },
      footprint: { sessionsOpened: sessions.opened, sessionsClosed: sessions.closed },
    };
  }

  get #sdkTimeoutMs(): number {
    return this.#target.timeoutMs + SDK_TIMEOUT_SLACK_MS;
  }

  get #silenceMs(): number {
    return Math.min(MAX_SILENCE_MS, this.#target.timeoutMs / 3);
  }
}
