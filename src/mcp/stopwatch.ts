import type { Phase, PhaseTimes } from '../core/outcome.ts';

/** These happen inside a stage, and are taken out of its time. */
type DialPhase = 'dns' | 'connect' | 'tls' | 'spawn';
type Stage = 'auth' | 'handshake' | 'ping' | 'list' | 'canary' | 'close';

/**
 * Times the phases of one probe, and knows which one it is in. A stage is what the probe does; making a
 * connection interrupts it. `firstByte` lies within the stage of the first request.
 */
export class Stopwatch {
  readonly times: PhaseTimes = {};
  readonly #startedAt = performance.now();
  #stage: Stage = 'handshake';
  #stageSince = this.#startedAt;
  #dialing: DialPhase | null = null;
  #dialSince = 0;
  #dialledAt = 0;
  #dialledInStage = 0;

  /** What the probe is about, whatever connections are being made for it. */
  get stage(): Stage {
    return this.#stage;
  }

  get phase(): Phase {
    return this.#dialing ?? this.#stage;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Ends the stage before and begins `stage`; what one stage takes in several goes adds up. */
  enter(stage: Stage): void {
    this.dialled();
    const now = performance.now();
    this.#add(this.#stage, now - this.#stageSince - this.#dialledInStage);
    this.#stage = stage;
    this.#stageSince = now;
    this.#dialledInStage = 0;
  }

  /** A connection (or process) is being made; each call ends the dial phase before it. */
  dial(phase: DialPhase): void {
    this.dialled();
    this.#dialing = phase;
    this.#dialSince = performance.now();
  }

  /** The connection is there, or was given up. */
  dialled(): void {
    if (!this.#dialing) return;
    this.#dialledAt = performance.now();
    const spent = this.#dialledAt - this.#dialSince;
    this.#add(this.#dialing, spent);
    this.#dialledInStage += spent;
    this.#dialing = null;
  }

  /** The first bytes came of something asked for at `askedAt`; only the first call of a probe counts. */
  firstByte(askedAt: number): void {
    this.times.firstByte ??= performance.now() - Math.max(askedAt, this.#dialledAt);
  }

  /** Ends the stage it is in, for the outcome to be made. */
  stop(): void {
    this.enter(this.#stage);
  }

  #add(phase: Phase, ms: number): void {
    if (ms > 0) this.times[phase] = (this.times[phase] ?? 0) + ms;
  }
}
