import type { Sliced } from '../core/slices.ts';
import { KnownCosts } from './known-costs.ts';
import { giveWay, stepAside } from './rests.ts';
import { type Job, Turns } from './turns.ts';

/** How long a class rests at most for each millisecond that it worked, while there are other probes. */
const REST_RATIO = 3;
/** The same of those who are not known for it, while others work who are. */
const REST_RATIO_BESIDE_KNOWN = 15;
/** What is done at once, for the many things that are small after all. */
const AT_ONCE_MS = 1;
/** What a probe may receive before it takes turns: more than most servers ever send. */
const FREE_BYTES = 64 * 1024;
/** What a piece costs however short it is. */
const PIECE_BYTES = 512;

interface LaneJob extends Job {
  share: LaneShare;
}

/**
 * The turns of those probes whose targets send much: 2 ms at a time, so that what they bring delays nobody by more
 * than that. While others have a use for the event loop, they rest three times as long as they worked; when nobody
 * has, or they are alone, they go on. There are two classes of them. A target is known for what its last good probes
 * took, and may take twice that again, up to a bound. What others bring, and all that comes beyond it, has its turns
 * apart: a quarter of the loop at most, and a sixteenth while there is work of those who are known for it.
 */
export class BulkLane {
  readonly #shares = new Set<LaneShare>();
  readonly #costs = new KnownCosts();
  readonly #known = new Turns<LaneJob>(giveWay, () => (this.#hasOthers() ? REST_RATIO : 0));
  readonly #others = new Turns<LaneJob>(stepAside, () => {
    if (this.#known.areBusy) return REST_RATIO_BESIDE_KNOWN;
    return this.#hasOthers() ? REST_RATIO : 0;
  });

  /** The part of a probe that begins now. */
  join(targetId: string): LaneShare {
    const share = new LaneShare(this.#costs.allowanceMs(targetId), {
      add: (job) => (share.isKnown ? this.#known : this.#others).add(job),
      exceed: () => {
        for (const job of this.#known.take((one) => one.share === share)) this.#others.add(job);
      },
      leave: (isGood) => this.#leave(share, targetId, isGood),
    });
    this.#shares.add(share);
    return share;
  }

  #leave(share: LaneShare, targetId: string, isGood: boolean): void {
    this.#shares.delete(share);
    if (isGood) this.#costs.note(targetId, share.spentMs);
    else if (share.spentMs > 0 && !share.isKnown) this.#costs.forget(targetId);
    if (!share.isBulky) return;
    for (const turns of [this.#known, this.#others])
      for (const job of turns.take((one) => one.share === share)) job.giveUp();
  }

  #hasOthers(): boolean {
    for (const share of this.#shares) if (!share.isBulky) return true;
    return false;
  }
}

interface Lane {
  add(job: LaneJob): void;
  /** It has cost what its target is known for: what waits goes on among the others. */
  exceed(): void;
  leave(isGood: boolean): void;
}

/** What one probe has of the lane. */
export class LaneShare {
  #bytes = 0;
  #isOver = false;
  #running = 0;
  #spentMs = 0;
  readonly #allowanceMs: number;
  readonly #lane: Lane;

  constructor(allowanceMs: number, lane: Lane) {
    this.#allowanceMs = allowanceMs;
    this.#lane = lane;
  }

  /** Whether its target has sent so much that it takes turns, or there is work on something long. */
  get isBulky(): boolean {
    return this.#bytes > FREE_BYTES || this.#running > 0;
  }

  /** Whether it has cost no more than what its target is known for. */
  get isKnown(): boolean {
    return this.#spentMs < this.#allowanceMs;
  }

  /** What its turns have taken. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /** Counts a piece that came; true when it has to wait for a turn. */
  mustWait(byteCount: number): boolean {
    this.#bytes += byteCount + PIECE_BYTES;
    return this.#bytes > FREE_BYTES;
  }

  /**
   * Does what takes no time at once, and the rest in turns. Rejects with what `work` throws, and, instead of
   * going on, once `isOver` says so or the probe has left.
   */
  async run<Result>(work: Sliced<Result>, isOver: () => boolean = () => false): Promise<Result> {
    // Most works are of one step.
    let step = work.next();
    if (step.done) return step.value;
    const until = performance.now() + AT_ONCE_MS;
    do {
      step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < until);
    return this.wait(work, isOver);
  }

  /** The same, with nothing done at once. Works of one step are done in the order in which they came. */
  async wait<Result>(work: Sliced<Result>, isOver: () => boolean = () => false): Promise<Result> {
    this.#running += 1;
    try {
      return await new Promise<Result>((resolve, reject) => {
        const giveUp = () => reject(new Error('the probe is over'));
        const step = () => {
          if (isOver()) {
            giveUp();
            return true;
          }
          try {
            const { done, value } = work.next();
            if (done) resolve(value);
            return done === true;
          } catch (error) {
            reject(error);
            return true;
          }
        };
        if (this.#isOver) giveUp();
        else {
          const job: LaneJob = {
            share: this,
            step,
            giveUp,
            charge: (spentMs) => {
              const wasKnown = this.isKnown;
              this.#spentMs += spentMs;
              if (wasKnown && !this.isKnown) this.#lane.exceed();
            },
            requeue: () => this.#lane.add(job),
          };
          this.#lane.add(job);
        }
      });
    } finally {
      this.#running -= 1;
    }
  }

  /** The probe is over: what waits is given up. What a good one took, the next one of its target may take as well. */
  leave(isGood = false): void {
    this.#isOver = true;
    this.#lane.leave(isGood);
  }
}
