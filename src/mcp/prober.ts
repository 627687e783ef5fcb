import { faultOutcome, type ProbeOutcome } from '../core/outcome.ts';
import type { ProbeTarget } from '../core/target.ts';
import { Beat } from './beat.ts';
import { BulkLane } from './bulk-lane.ts';
import { createResolver, type Resolver } from './dns/resolver.ts';
import type { EgressPolicy } from './egress.ts';
import { createFootprint, type Footprint } from './footprint.ts';
import { DEFAULT_LIMITS, type ProbeLimits } from './limits.ts';
import { TokenCache } from './oauth.ts';
import type { ProbeRequest } from './probe-request.ts';
import { ProbeRun } from './probe-run.ts';
import { type Children, createPlainChildren } from './processes/children.ts';

export interface ProberOptions {
  clientInfo: { name: string; version: string };
  /** Without one, every address may be connected to. */
  egress?: EgressPolicy;
  /** The rules and places of stdio servers' processes; without one, those of whoever types a command. */
  children?: Children;
  /** How host names become addresses; the DNS and /etc/hosts unless told. */
  resolver?: Resolver;
  limits?: Partial<ProbeLimits>;
  /** Certificate authorities besides Node's own, as PEM. */
  extraCa?: string;
  /** What a stdio server's command inherits, besides what its registry row gives it. */
  environment?: Readonly<Record<string, string>>;
}

/** Probes MCP servers; holds the tokens and counters that its probes share. */
export interface Prober {
  /** Never rejects; settles by `target.timeoutMs` and the grace for ending what it began. */
  probe(target: ProbeTarget, request?: ProbeRequest): Promise<ProbeOutcome>;
  /** What is open now; every gauge of it returns to 0. `sessionsAbandoned` only counts up. */
  footprint(): Readonly<Footprint>;
  /** Ends every probe in flight, and resolves when nothing of them is left. */
  close(): Promise<void>;
}

/** Makes the prober of one process. */
export function createProber(options: ProberOptions): Prober {
  const { clientInfo } = options;
  const footprint = createFootprint();
  const runs = new Set<{ run: ProbeRun; outcome: Promise<ProbeOutcome> }>();
  const shared = {
    clientInfo,
    footprint,
    tokens: new TokenCache(),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    egress: options.egress,
    children: options.children ?? createPlainChildren(),
    resolver: options.resolver ?? createResolver(),
    extraCa: options.extraCa,
    userAgent: `${clientInfo.name}/${clientInfo.version}`,
    childEnvironment: { ...options.environment },
    bulk: new BulkLane(),
    beat: new Beat(),
  };
  let closed = false;

  return {
    async probe(target, request = {}) {
      const run = new ProbeRun(shared, target, request);
      if (closed) run.cancel('the prober is closed');
      const entry = { run, outcome: run.outcome() };
      runs.add(entry);
      try {
        return await entry.outcome;
      } catch (error) {
        // A mistake of ours: it must not look like the target's, and must not end the job either.
        const message = error instanceof Error ? error.message : String(error);
        return faultOutcome({ kind: 'internal', message }, target.endpoint.transport);
      } finally {
        runs.delete(entry);
      }
    },
    footprint: () => ({ ...footprint }),
    async close() {
      closed = true;
      for (const { run } of runs) run.cancel('the prober is closing');
      await Promise.all([...runs].map(({ outcome }) => outcome));
    },
  };
}
