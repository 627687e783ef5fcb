/** How often what is watched is looked at, in milliseconds. */
const BEAT_MS = 100;

export interface Watched {
  /** `nowMs` by performance.now(). */
  look(nowMs: number): void;
}

/** One timer for everything that has to be looked at once in a while: each of a probe's answers has something. */
export class Beat {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  add(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.turn(performance.now()), BEAT_MS).unref();
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
  }

  /** Has all of it looked at now. */
  turn(nowMs: number): void {
    for (const watched of this.#watched) watched.look(nowMs);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
