import type { Watched } from '../beat.ts';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';

type Bounds = Pick<ProbeContext, 'limits' | 'watch' | 'beat'>;

/** Tells when a message that has begun is not gone on with. A server that is merely slow to begin is not meant. */
export class StallWatch implements Watched {
  #sinceMs = 0;
  #isHeld = false;
  #isWithin = false;
  readonly #bounds: Bounds;
  readonly #onStall: (error: FaultError) => void;

  constructor(bounds: Bounds, onStall: (error: FaultError) => void) {
    this.#bounds = bounds;
    this.#onStall = onStall;
  }

  /** Bytes came, and end within a message or not. */
  saw(isWithin: boolean): void {
    this.#isWithin = isWithin;
    if (this.#isHeld) return;
    if (!isWithin) this.stop();
    else this.#begin();
  }

  stop(): void {
    this.#isWithin = false;
    this.#bounds.beat.remove(this);
  }

  /** Nothing is read for now, so that nothing can come. */
  hold(): void {
    this.#isHeld = true;
    this.#bounds.beat.remove(this);
  }

  /** It is read again, and has all its time. */
  goOn(): void {
    this.#isHeld = false;
    if (this.#isWithin) this.#begin();
  }

  look(nowMs: number): void {
    const { limits, watch } = this.#bounds;
    if (nowMs - this.#sinceMs < limits.stallMs) return;
    this.stop();
    const message = `it began a message, and then sent nothing for ${limits.stallMs} ms`;
    this.#onStall(new FaultError({ kind: 'limit', phase: watch.phase, limit: 'stall', message }));
  }

  #begin(): void {
    this.#sinceMs = performance.now();
    this.#bounds.beat.add(this);
  }
}
