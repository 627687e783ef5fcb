import type { Rest } from './rests.ts';

/** How long one turn may hold the event loop. */
const TURN_MS = 2;
/** What a piece of work costs at least: somebody had to read what it is about. */
const LEAST_MS = 0.1;

/** Work of which a little is done at a time. */
export interface Job {
  /** Does a little; true when that was the last of it. It never throws. */
  step(): boolean;
  /** Told what was spent on it in a turn. */
  charge(spentMs: number): void;
  /** It is not done, and has had its turn: it takes its place where it is to go on. */
  requeue(): void;
  giveUp(): void;
}

/** Jobs that have turns of 2 ms, one after the other, and rests between them. */
export class Turns<Work extends Job> {
  #jobs: Work[] = [];
  #isScheduled = false;
  #owedMs = 0;
  readonly #rest: Rest;
  readonly #restRatio: () => number;

  /** `restRatio` tells how long they are to rest at most for each millisecond of work. */
  constructor(rest: Rest, restRatio: () => number) {
    this.#rest = rest;
    this.#restRatio = restRatio;
  }

  /** Whether there is work, or a rest after it. */
  get areBusy(): boolean {
    return this.#isScheduled;
  }

  add(job: Work): void {
    this.#jobs.push(job);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  /** Takes away those that wait and are meant, in their order. */
  take(isMeant: (job: Work) => boolean): Work[] {
    const taken = this.#jobs.filter(isMeant);
    if (taken.length > 0) this.#jobs = this.#jobs.filter((job) => !isMeant(job));
    return taken;
  }

  #turn(): void {
    let spentMs = 0;
    while (spentMs < TURN_MS) {
      const job = this.#jobs.shift();
      if (!job) break;
      spentMs += doFor(job, TURN_MS - spentMs);
    }
    const ratio = this.#restRatio();
    this.#owedMs = ratio === 0 ? 0 : this.#owedMs + spentMs * ratio;
    if (this.#owedMs >= TURN_MS) {
      this.#rest(this.#owedMs, () => this.#next());
      this.#owedMs = 0;
    } else {
      setImmediate(() => this.#next());
    }
  }

  #next(): void {
    if (this.#jobs.length > 0) this.#turn();
    else this.#isScheduled = false;
  }
}

/** Does of a job what can be done in `leftMs`, and gives what that cost. */
function doFor(job: Job, leftMs: number): number {
  const startedAt = performance.now();
  let spentMs = 0;
  let isDone = false;
  while (!isDone && spentMs < leftMs) {
    isDone = job.step();
    spentMs = performance.now() - startedAt;
  }
  if (isDone) spentMs = Math.max(spentMs, LEAST_MS);
  job.charge(spentMs);
  if (!isDone) job.requeue();
  return spentMs;
}
