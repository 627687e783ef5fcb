/** What this process has open at its targets, counted where it is opened and where it is gone. */
export interface Footprint {
  /** Sessions of probes under way. */
  sessionsOpen: number;
  /** Sessions whose target never confirmed the end, since the start: what we may have left behind. */
  sessionsAbandoned: number;
  socketsOpen: number;
  childrenLive: number;
}

/** The counters that every transport of one prober shares. */
export function createFootprint(): Footprint {
  return { sessionsOpen: 0, sessionsAbandoned: 0, socketsOpen: 0, childrenLive: 0 };
}

/** The sessions of one probe; what it counts shows in the shared footprint too. */
export class SessionLedger {
  opened = 0;
  closed = 0;
  #settled = 0;
  readonly #footprint: Footprint;

  constructor(footprint: Footprint) {
    this.#footprint = footprint;
  }

  open(): void {
    this.opened += 1;
    this.#footprint.sessionsOpen += 1;
  }

  close(): void {
    this.closed += 1;
    this.#settle();
  }

  /** The target did not confirm that it is gone. */
  abandon(): void {
    this.#footprint.sessionsAbandoned += 1;
    this.#settle();
  }

  #settle(): void {
    this.#settled += 1;
    if (this.#settled <= this.opened) this.#footprint.sessionsOpen -= 1;
  }
}
