import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';

/** Tells when a message that has begun is not gone on with. A server that is merely slow to begin is not meant. */
export class StallWatch {
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;
  #isWithin = false;
  readonly #bounds: Pick<ProbeContext, 'limits' | 'watch'>;
  readonly #onStall: (error: FaultError) => void;

  constructor(bounds: Pick<ProbeContext, 'limits' | 'watch'>, onStall: (error: FaultError) => void) {
    this.#bounds = bounds;
    this.#onStall = onStall;
  }

  /** Bytes came, and end within a message or not. */
  saw(isWithin: boolean): void {
    this.#isWithin = isWithin;
    if (this.#isHeld) return;
    if (!isWithin) this.stop();
    else if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#stalled(), this.#bounds.limits.stallMs);
  }

  stop(): void {
    this.#isWithin = false;
    this.#clear();
  }

  /** Nothing is read for now, so that nothing can come. */
  hold(): void {
    this.#isHeld = true;
    this.#clear();
  }

  /** It is read again, and has all its time. */
  goOn(): void {
    this.#isHeld = false;
    if (this.#isWithin) this.saw(true);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #stalled(): void {
    const { limits, watch } = this.#bounds;
    const message = `it began a message, and then sent nothing for ${limits.stallMs} ms`;
    this.#onStall(new FaultError({ kind: 'limit', phase: watch.phase, limit: 'stall', message }));
  }
}
