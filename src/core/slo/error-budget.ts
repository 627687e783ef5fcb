import { z } from 'zod';
import type { SloPolicy } from '../policy.ts';

/**
 * How a server stands to its objective: the share of time in which it is to be usable. Time is what
 * counts, not probes, since a failure is looked at again within seconds: a probe's answer holds until
 * the next one. Time that nobody watched, that says nothing (unknown, waking) or that was announced
 * (maintenance) is not held against the server.
 */
export interface SloMemory {
  /** The newest observation, and what holds since then; null: nothing that counts. */
  lastMs: number | null;
  state: 'good' | 'bad' | null;
  /** Bad time in order, as [start, end, milliseconds of it that were bad]; at most MAX_SPANS. */
  bad: [number, number, number][];
  /** Bad milliseconds by UTC day (days since 1970); days without any are left out. */
  days: Record<string, number>;
  /** The burn rules that are over their rate, by `ruleName`. */
  burning: string[];
}

export const FRESH_SLO: SloMemory = { lastMs: null, state: null, bad: [], days: {}, burning: [] };

export const sloMemorySchema = z.object({
  lastMs: z.number().nullable(),
  state: z.enum(['good', 'bad']).nullable(),
  bad: z.array(z.tuple([z.number(), z.number(), z.number()])).max(500),
  days: z.record(z.string().regex(/^\d{1,7}$/), z.number().min(0)),
  burning: z.array(z.string()).max(100),
});

export interface BurnRule {
  longMs: number;
  shortMs: number;
  rate: number;
}

export interface SloStanding {
  memory: SloMemory;
  /** 1 is all of it, below 0 it is overdrawn. */
  budgetLeft: number;
  /** The fastest rule that burns, with the rates seen; null when none does. */
  burn: { rule: BurnRule; long: number; short: number; fastest: boolean } | null;
}

const DAY_MS = 86_400_000;
/** What was seen last is not believed for longer: the worker may have been off. */
const HOLDS_MS = 3_600_000;
const MAX_SPANS = 64;
/** A rule that burns does so until its short window is down to this share of its rate. */
const STILL_BURNING = 0.5;

export const ruleName = ({ longMs, shortMs }: BurnRule): string => `${longMs}/${shortMs}`;

/** One observation later: what is left of the budget, and whether it burns too fast. */
export function stepSlo(
  before: SloMemory,
  seen: { atMs: number; state: 'good' | 'bad' | null },
  policy: SloPolicy,
  objective: number,
): SloStanding {
  const atMs = Math.max(seen.atMs, before.lastMs ?? seen.atMs);
  const longestMs = Math.max(0, ...policy.burn.map(({ longMs }) => longMs));
  let { bad, days } = before;
  if (before.state === 'bad' && before.lastMs !== null && atMs > before.lastMs) {
    const endMs = Math.min(atMs, before.lastMs + HOLDS_MS);
    bad = addSpan(bad, before.lastMs, endMs);
    days = addDays(days, before.lastMs, endMs);
  }
  bad = bad.filter(([, endMs]) => endMs > atMs - longestMs);
  const today = Math.floor(atMs / DAY_MS);
  days = Object.fromEntries(Object.entries(days).filter(([day]) => Number(day) > today - policy.windowDays));

  const allowed = 1 - objective;
  const burnOf = (windowMs: number): number =>
    windowMs > 0 ? badWithin(bad, atMs - windowMs, atMs) / windowMs / allowed : 0;
  const burns = policy.burn
    .map((rule) => ({ rule, long: burnOf(rule.longMs), short: burnOf(rule.shortMs) }))
    .filter(({ rule, long, short }) =>
      before.burning.includes(ruleName(rule))
        ? short >= rule.rate * STILL_BURNING
        : long >= rule.rate && short >= rule.rate,
    )
    .sort((a, b) => b.rule.rate - a.rule.rate);
  const spentMs = Object.values(days).reduce((sum, ms) => sum + ms, 0);
  const [fastest] = burns;
  const highest = Math.max(...policy.burn.map(({ rate }) => rate));
  return {
    memory: { lastMs: atMs, state: seen.state, bad, days, burning: burns.map(({ rule }) => ruleName(rule)) },
    budgetLeft: 1 - spentMs / (allowed * policy.windowDays * DAY_MS),
    burn: fastest ? { ...fastest, fastest: fastest.rule.rate === highest } : null,
  };
}

function addSpan(spans: SloMemory['bad'], startMs: number, endMs: number): SloMemory['bad'] {
  const last = spans[spans.length - 1];
  const added: SloMemory['bad'] =
    last && last[1] === startMs
      ? [...spans.slice(0, -1), [last[0], endMs, last[2] + (endMs - startMs)]]
      : [...spans, [startMs, endMs, endMs - startMs]];
  return added.length > MAX_SPANS ? mergeClosest(added) : added;
}

/** Two neighbours become one whose bad time is spread over both: those for which that changes least. */
function mergeClosest(spans: SloMemory['bad']): SloMemory['bad'] {
  let place = 0;
  let shortest = Number.POSITIVE_INFINITY;
  for (let index = 0; index + 1 < spans.length; index += 1) {
    const [first, second] = [spans[index], spans[index + 1]];
    if (first && second && second[1] - first[0] < shortest) {
      shortest = second[1] - first[0];
      place = index;
    }
  }
  const [first, second] = [spans[place], spans[place + 1]];
  if (!first || !second) return spans;
  return [...spans.slice(0, place), [first[0], second[1], first[2] + second[2]], ...spans.slice(place + 2)];
}

function addDays(days: SloMemory['days'], startMs: number, endMs: number): SloMemory['days'] {
  const added = { ...days };
  for (let fromMs = startMs; fromMs < endMs; ) {
    const day = Math.floor(fromMs / DAY_MS);
    const toMs = Math.min(endMs, (day + 1) * DAY_MS);
    added[day] = (added[day] ?? 0) + (toMs - fromMs);
    fromMs = toMs;
  }
  return added;
}

function badWithin(spans: SloMemory['bad'], startMs: number, endMs: number): number {
  return spans.reduce((sum, [from, to, badMs]) => {
    const overlap = Math.min(to, endMs) - Math.max(from, startMs);
    return overlap > 0 && to > from ? sum + badMs * (overlap / (to - from)) : sum;
  }, 0);
}
