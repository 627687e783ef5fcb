/** How states are decided: what an installation may set in its policy file. Times are in milliseconds. */
export interface Policy {
  health: HealthPolicy;
  latency: LatencyPolicy;
  slo: SloPolicy;
  incidents: IncidentPolicy;
  selfCheck: SelfCheckPolicy;
  calls: CallsPolicy;
  maintenance: readonly RecurringWindow[];
}

export interface HealthPolicy {
  /** Failures in a row that make an outage, and successes that end it. */
  failuresToDown: number;
  successesToUp: number;
  /** How soon to look again at a failure that is not confirmed, and at a success after an outage. */
  confirmAfterMs: readonly number[];
  /** The same after a refused connection, which says more at once than a timeout. */
  confirmRefusedAfterMs: readonly number[];
  flapping: {
    /** How many of the last probes are looked at. */
    probes: number;
    /** The share of state changes among them from which a server flaps, and below which it no longer does. */
    startShare: number;
    stopShare: number;
  };
}

export interface LatencyPolicy {
  /** Idle for longer than this, a server's first answer counts as cold. */
  coldAfterMs: number;
  /** Before so many observations nothing is called slow. */
  minSamples: number;
  /** So many times its own p95 is slow, when it is slower by this much at least, too. */
  slowFactor: number;
  slowAtLeastMs: number;
  /** So many slow slots in a row make a server degraded. */
  slowSlots: number;
}

export interface SloPolicy {
  /** The share of good probes that a server is to have, below 1. */
  objective: number;
  windowDays: number;
  burn: readonly { longMs: number; shortMs: number; rate: number }[];
}

export interface IncidentPolicy {
  /** Servers that share something and fail within this time belong together. */
  withinMs: number;
  /** From so many on. */
  minServers: number;
}

export interface SelfCheckPolicy {
  /** URLs and host:port pairs whose reachability shows that the worker is online; none: no check of egress. */
  anchors: readonly string[];
  /** A name to resolve; null: none. */
  dnsName: string | null;
  /** A loop that lags by more than this makes timeouts of its own. */
  maxLoopLagMs: number;
  /** So many servers failing within a minute are a mass failure, worth a look at ourselves. */
  massFailures: number;
}

export interface CallsPolicy {
  windowMs: number;
  minCalls: number;
  /** The share of failing calls from which a server with green probes is degraded. */
  errorShare: number;
}

export interface RecurringWindow {
  title: string;
  /** Five or six fields, as node-cron reads them. */
  cron: string;
  /** IANA. */
  timeZone: string;
  durationMs: number;
  /** Server ids, or `*`. */
  services: readonly string[];
  /** Empty: all. */
  tenants: readonly string[];
}

export const DEFAULT_POLICY: Policy = {
  health: {
    failuresToDown: 2,
    successesToUp: 2,
    confirmAfterMs: [10_000, 20_000],
    confirmRefusedAfterMs: [5_000, 10_000],
    flapping: { probes: 20, startShare: 0.5, stopShare: 0.25 },
  },
  latency: { coldAfterMs: 600_000, minSamples: 10, slowFactor: 3, slowAtLeastMs: 200, slowSlots: 3 },
  slo: {
    objective: 0.995,
    windowDays: 30,
    burn: [
      { longMs: 3_600_000, shortMs: 300_000, rate: 14.4 },
      { longMs: 21_600_000, shortMs: 1_800_000, rate: 6 },
    ],
  },
  incidents: { withinMs: 60_000, minServers: 3 },
  selfCheck: { anchors: [], dnsName: null, maxLoopLagMs: 2_000, massFailures: 5 },
  calls: { windowMs: 300_000, minCalls: 20, errorShare: 0.2 },
  maintenance: [],
};
