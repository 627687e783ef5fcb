import type { Sliced } from '../core/slices.ts';

/** How long one turn of the lane may hold the event loop. */
const TURN_MS = 2;
/** How long the lane rests for each millisecond that it worked, while there are other probes. */
const REST_RATIO = 3;
/** What is done at once, for the many things that are small after all. */
const AT_ONCE_MS = 1;
/** What a piece of work costs at least: somebody had to read what it is about. */
const LEAST_MS = 0.1;
/** What a probe may receive before it takes turns: more than most servers ever send. */
const FREE_BYTES = 64 * 1024;
/** What a piece costs however short it is. */
const PIECE_BYTES = 512;

interface Job {
  lane: LaneShare;
  /** Does a little; true when that was the last of it. It never throws. */
  step(): boolean;
  giveUp(): void;
}

/**
 * The turns of those probes whose targets send much. They have a quarter of the event loop together, one of
 * them at a time, and 2 ms a turn: what they bring delays the other probes by no more than that, however
 * many they are. Alone they have all of it.
 */
export class BulkLane {
  readonly #shares = new Set<LaneShare>();
  #jobs: Job[] = [];
  #isScheduled = false;
  #owedMs = 0;

  /** The part of a probe that begins now. */
  join(): LaneShare {
    const share = new LaneShare(
      (job) => this.#add(job),
      () => this.#leave(share),
    );
    this.#shares.add(share);
    return share;
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #leave(share: LaneShare): void {
    this.#shares.delete(share);
    const left = this.#jobs.filter(({ lane }) => lane === share);
    if (left.length === 0) return;
    this.#jobs = this.#jobs.filter(({ lane }) => lane !== share);
    for (const job of left) job.giveUp();
  }

  #turn(): void {
    const startedAt = performance.now();
    let spentMs = 0;
    let finished = 0;
    let unfinished: Job | undefined;
    while (spentMs < TURN_MS) {
      const job: Job | undefined = unfinished ?? this.#jobs.shift();
      if (!job) break;
      const isDone = job.step();
      unfinished = isDone ? undefined : job;
      if (isDone) finished += 1;
      spentMs = Math.max(performance.now() - startedAt, finished * LEAST_MS);
    }
    // Whoever is not done goes on when the others have had their turn.
    if (unfinished) this.#jobs.push(unfinished);
    if (this.#hasOthers()) this.#owedMs += spentMs * REST_RATIO;
    else this.#owedMs = 0;
    if (this.#owedMs >= TURN_MS) {
      setTimeout(() => this.#next(), this.#owedMs);
      this.#owedMs = 0;
    } else {
      setImmediate(() => this.#next());
    }
  }

  #next(): void {
    if (this.#jobs.length > 0) this.#turn();
    else this.#isScheduled = false;
  }

  #hasOthers(): boolean {
    for (const share of this.#shares) if (!share.isBulky) return true;
    return false;
  }
}

/** What one probe has of the lane. */
export class LaneShare {
  #bytes = 0;
  #isOver = false;
  #running = 0;
  readonly #add: (job: Job) => void;
  readonly #leave: () => void;

  constructor(add: (job: Job) => void, leave: () => void) {
    this.#add = add;
    this.#leave = leave;
  }

  /** Whether its target has sent so much that it takes turns, or there is work on something long. */
  get isBulky(): boolean {
    return this.#bytes > FREE_BYTES || this.#running > 0;
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
        else this.#add({ lane: this, step, giveUp });
      });
    } finally {
      this.#running -= 1;
    }
  }

  /** The probe is over: what waits is given up. */
  leave(): void {
    this.#isOver = true;
    this.#leave();
  }
}
