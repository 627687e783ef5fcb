/** How much more than before a probe may cost. */
const GROWTH = 2;
/** What whoever is known may cost at least: a turn is longer than its work when the machine is busy. */
const MIN_ALLOWANCE_MS = 5;
/** The most that anybody may cost for being known: what a listing of 10,000 tools takes. */
const MAX_ALLOWANCE_MS = 50;
/** As many are remembered: those whose probes were good last. */
const MAX_TARGETS = 10_000;

/** What the turns of targets took in the last good probes of each. Of those that never send much, nothing is kept. */
export class KnownCosts {
  readonly #msByTarget = new Map<string, number>();

  /** What the turns of a probe may take before its target costs more than it is known for. */
  allowanceMs(targetId: string): number {
    const knownMs = this.#msByTarget.get(targetId);
    return knownMs === undefined
      ? 0
      : Math.min(Math.max(knownMs * GROWTH, MIN_ALLOWANCE_MS), MAX_ALLOWANCE_MS);
  }

  /** Remembers what a good probe took. One that was quicker than those before it lowers that by half at most. */
  note(targetId: string, spentMs: number): void {
    const knownMs = this.#msByTarget.get(targetId) ?? 0;
    this.forget(targetId);
    if (spentMs === 0) return;
    this.#msByTarget.set(targetId, Math.max(spentMs, knownMs / 2));
    if (this.#msByTarget.size <= MAX_TARGETS) return;
    const [oldest] = this.#msByTarget.keys();
    if (oldest !== undefined) this.#msByTarget.delete(oldest);
  }

  /** It has abused what it was known for. */
  forget(targetId: string): void {
    this.#msByTarget.delete(targetId);
  }
}
