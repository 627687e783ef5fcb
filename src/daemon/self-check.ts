import { networkInterfaces } from 'node:os';
import type { SelfCheckPolicy } from '../core/policy.ts';
import type { Reason } from '../core/reasons.ts';
import {
  createFailureCount,
  explainsFailure,
  judgeSelf,
  mayBeOurs,
  type SelfFacts,
  type SelfJudgement,
} from '../core/self-check/judge-self.ts';

/** What the self-check asks of the machine. */
export interface SelfSenses {
  reachAnchor(anchor: string, signal: AbortSignal): Promise<boolean>;
  resolvesName(name: string, signal: AbortSignal): Promise<boolean>;
  loopLagMs(): number;
  networkUp(): boolean;
}

export interface SelfCheckDeps {
  policy: () => SelfCheckPolicy;
  senses: SelfSenses;
  now: () => number;
  /** The worker is offline, or came back. */
  onChange(judgement: SelfJudgement): Promise<void>;
  /**
   * Has those asked again that were judged by what was thought before a change (`believed`: whose failures
   * were held against them lately). Called at a change and for a moment after it.
   */
  askAgain(judgement: SelfJudgement, believed: string[]): Promise<void>;
  onError(error: unknown): void;
}

export interface SelfCheck {
  /**
   * Whether the outcome of a probe is the worker's own fault; `reason` is null for a target that answered.
   * During a mass failure it waits for a fresh look at the worker, three seconds at most.
   */
  isOurs(probe: { serverId: string; reason: Reason | null; loopback: boolean }): Promise<boolean>;
  /** Looks when it is time to: often while offline, each half minute where anchors are configured. */
  turn(): Promise<void>;
}

const LOOK_WITHIN_MS = 3_000;
/** A look that is younger counts as fresh. */
const FRESH_MS = 2_000;
const PERIOD_MS = 30_000;
/** While it is offline this is said again, so that a word of it that is old is that of a dead worker. */
const AGAIN_MS = 60_000;
/** What was in flight at a change is stored within this time, by what was thought before it. */
const SETTLE_MS = 10_000;

/** Decides whether the worker or its targets are to blame, and says when that changes. */
export function createSelfCheck(deps: SelfCheckDeps): SelfCheck {
  const failures = createFailureCount();
  let judgement: SelfJudgement = { offline: false, cause: null, because: null };
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<SelfJudgement> | null = null;
  /** What onChange was told, and when; it is told again until it has been heard. */
  let told = false;
  let toldMs = 0;
  let changedMs = Number.NEGATIVE_INFINITY;
  const isSettling = () => deps.now() - changedMs <= SETTLE_MS;

  async function look(): Promise<SelfJudgement> {
    if (looking) return await looking;
    if (deps.now() - lookedMs < FRESH_MS) return judgement;
    looking = lookNow().finally(() => {
      looking = null;
    });
    return await looking;
  }

  async function lookNow(): Promise<SelfJudgement> {
    const policy = deps.policy();
    judgement = judgeSelf(await senseSelf(deps.senses, policy), policy);
    lookedMs = deps.now();
    const isChange = judgement.offline !== told;
    const isStill = told && judgement.offline && lookedMs - toldMs >= AGAIN_MS;
    try {
      if (isChange || isStill) {
        await deps.onChange(judgement);
        told = judgement.offline;
        toldMs = lookedMs;
        if (isChange) changedMs = lookedMs;
      }
      if (isSettling()) await deps.askAgain(judgement, failures.ids(lookedMs));
    } catch (error) {
      deps.onError(error);
    }
    return judgement;
  }

  return {
    async isOurs({ serverId, reason, loopback }) {
      const nowMs = deps.now();
      if (reason === null || !mayBeOurs(reason)) {
        failures.remove(serverId);
        return false;
      }
      failures.add(serverId, nowMs);
      if (!judgement.offline && failures.count(nowMs) < deps.policy().massFailures) return false;
      return explainsFailure(await look(), { reason, loopback });
    },
    async turn() {
      const { anchors } = deps.policy();
      const isDue = anchors.length > 0 && deps.now() - lookedMs >= PERIOD_MS;
      if (judgement.offline || told || isDue || isSettling()) await look();
    },
  };
}

async function senseSelf(senses: SelfSenses, { anchors, dnsName }: SelfCheckPolicy): Promise<SelfFacts> {
  const signal = AbortSignal.timeout(LOOK_WITHIN_MS);
  const [reached, dns] = await Promise.all([
    Promise.all(anchors.map((anchor) => senses.reachAnchor(anchor, signal))),
    dnsName === null ? null : senses.resolvesName(dnsName, signal),
  ]);
  return { anchors: reached, dns, loopLagMs: senses.loopLagMs(), networkUp: senses.networkUp() };
}

/** Whether this machine has an address that is not its own loopback. */
export function hasNetwork(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal, address }) => !internal && !address.startsWith('fe80:')),
  );
}
