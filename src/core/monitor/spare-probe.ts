import { slotAfter } from '../schedule.ts';
import type { BudgetSettings } from './monitor-settings.ts';

/** Why a scheduled probe was not made. */
export const SPARE_REASONS = ['budget', 'do_not_wake', 'traffic'] as const;
export type SpareReason = (typeof SPARE_REASONS)[number];

/** What is known of a server when a scheduled probe of it is about to begin. */
export interface SlotFacts {
  serverId: string;
  intervalMs: number;
  nowMs: number;
  slotMs: number;
  /** null when it was never probed. */
  lastProbeMs: number | null;
  /** Somebody asked for a probe out of turn then, since real calls fail. */
  hurriedMs: number | null;
  /** It was well by itself when it was last looked at. */
  isUp: boolean;
  /** What its probes of this UTC day used. */
  probesToday: number;
  bytesToday: number;
}

/** Real calls as the gateway counted them. */
export interface Traffic {
  /** When the last one was, whatever came of it; null when there was none lately. */
  lastCallMs: number | null;
  /** Those since the last probe, and no longer ago than an interval. */
  calls: number;
  /** Those of them that the server failed. */
  failed: number;
}

export const NO_TRAFFIC: Traffic = { lastCallMs: null, calls: 0, failed: 0 };

export type SlotDecision = { probe: true } | { probe: false; reason: SpareReason; nextSlotMs: number };

const DAY_MS = 86_400_000;
/** A server that was used within this time is awake: a probe wakes nobody. */
export const AWAKE_AFTER_CALL_MS = 600_000;
/** So many calls that went well say as much as a probe. */
export const TRUSTED_CALLS = 5;
/** Calls tell nothing of the inventory: it is looked at once in this time in any case. */
export const TRUST_AT_MOST_MS = 3_600_000;
/** Slots and probes are never to the millisecond. */
const LEEWAY_MS = 30_000;
/** Of a day's budget, what may be used beyond it to confirm a failure. */
const CONFIRMING_SHARE = 0.1;

/** Whether the decision needs to know of real calls. */
export const asksTraffic = ({ doNotWake, trustTraffic }: BudgetSettings): boolean =>
  doNotWake || trustTraffic;

/**
 * Whether a scheduled probe is made. One that is not leaves the verdict as it is, and the next regular
 * slot asks again: settings and traffic may be others then. A first check is always made, and one out of
 * turn (to confirm a failure, or because real calls fail) waits for nothing but an overdrawn budget.
 */
export function decideSlot(budget: BudgetSettings, facts: SlotFacts, traffic: Traffic): SlotDecision {
  const { nowMs, lastProbeMs } = facts;
  const spare = (reason: SpareReason): SlotDecision => ({
    probe: false,
    reason,
    nextSlotMs: slotAfter(facts.serverId, facts.intervalMs, nowMs),
  });
  const urgent = isUrgent(facts);
  if (isUsedUp(budget, facts, urgent || lastProbeMs === null)) return spare('budget');
  if (lastProbeMs === null || urgent) return { probe: true };
  const { lastCallMs } = traffic;
  const isAwake = lastCallMs !== null && nowMs - lastCallMs <= AWAKE_AFTER_CALL_MS;
  if (budget.doNotWake && !isAwake) return spare('do_not_wake');
  if (
    budget.trustTraffic &&
    facts.isUp &&
    nowMs - lastProbeMs < TRUST_AT_MOST_MS &&
    traffic.calls >= TRUSTED_CALLS &&
    traffic.failed === 0
  ) {
    return spare('traffic');
  }
  const leewayMs = Math.min(LEEWAY_MS, facts.intervalMs / 2);
  return nowMs - lastProbeMs + leewayMs < pauseMs(budget, facts) ? spare('budget') : { probe: true };
}

/**
 * Regular slots lie on the server's own phase; one that does not, soon after a probe, confirms what that
 * probe saw.
 */
function isUrgent({ serverId, intervalMs, slotMs, lastProbeMs, hurriedMs }: SlotFacts): boolean {
  if (lastProbeMs === null) return false;
  if (hurriedMs !== null && hurriedMs >= lastProbeMs) return true;
  const isRegular = Math.abs(slotAfter(serverId, intervalMs, slotMs - 1) - slotMs) < 2;
  return !isRegular && slotMs - lastProbeMs < intervalMs;
}

function isUsedUp({ probesPerDay, bytesPerDay }: BudgetSettings, facts: SlotFacts, urgent: boolean): boolean {
  const factor = urgent ? 1 + CONFIRMING_SHARE : 1;
  const isOver = (used: number, perDay: number | null) =>
    perDay !== null && used >= Math.ceil(Number((perDay * factor).toFixed(6)));
  return isOver(facts.probesToday, probesPerDay) || isOver(facts.bytesToday, bytesPerDay);
}

/** How long to wait between two probes so that the budget lasts the day: what is left of one over what is left of the other. */
function pauseMs({ probesPerDay, bytesPerDay }: BudgetSettings, facts: SlotFacts): number {
  const { nowMs, probesToday, bytesToday } = facts;
  const leftMs = DAY_MS - (nowMs % DAY_MS);
  const pauses = [0];
  if (probesPerDay !== null) pauses.push(DAY_MS / probesPerDay, leftMs / (probesPerDay - probesToday));
  // Before the first probe of a day nothing says what one costs.
  if (bytesPerDay !== null && probesToday > 0 && bytesToday > 0) {
    const each = bytesToday / probesToday;
    pauses.push((DAY_MS * each) / bytesPerDay, (leftMs * each) / (bytesPerDay - bytesToday));
  }
  return Math.max(...pauses);
}
