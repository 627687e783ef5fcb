import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BudgetSettings, NO_BUDGET } from '../../../../src/core/monitor/monitor-settings.ts';
import {
  decideSlot,
  NO_TRAFFIC,
  type SlotFacts,
  type Traffic,
} from '../../../../src/core/monitor/spare-probe.ts';
import { slotAfter } from '../../../../src/core/schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.UTC(2026, 5, 1);
const ID = 'server-1';
const INTERVAL = 5 * MINUTE;
/** A regular slot of this server about noon. */
const SLOT = slotAfter(ID, INTERVAL, MIDNIGHT + 12 * HOUR);

const facts = (changes: Partial<SlotFacts> = {}): SlotFacts => ({
  serverId: ID,
  intervalMs: INTERVAL,
  nowMs: SLOT + 500,
  slotMs: SLOT,
  lastProbeMs: SLOT - INTERVAL + 400,
  hurriedMs: null,
  isUp: true,
  probesToday: 10,
  bytesToday: 10_000,
  ...changes,
});
const traffic = (changes: Partial<Traffic> = {}): Traffic => ({ ...NO_TRAFFIC, ...changes });
const budget = (changes: Partial<BudgetSettings> = {}): BudgetSettings => ({ ...NO_BUDGET, ...changes });

const decide = (
  settings: Partial<BudgetSettings>,
  given: Partial<SlotFacts>,
  calls: Partial<Traffic> = {},
) => {
  const decision = decideSlot(budget(settings), facts(given), traffic(calls));
  return decision.probe ? 'probe' : decision.reason;
};
/** A slot off the regular ones, soon after a probe: it confirms what that probe saw. */
const CONFIRMING = { slotMs: SLOT + 10_000, nowMs: SLOT + 10_100, lastProbeMs: SLOT };
const HURRIED = { ...CONFIRMING, lastProbeMs: SLOT - HOUR, hurriedMs: SLOT + 10_000 };
const BUSY = { calls: 5, lastCallMs: SLOT };
const EVERY_5_MIN = 288;

test.each<[string, Partial<BudgetSettings>, Partial<SlotFacts>, Partial<Traffic>, string]>([
  ['nothing is limited', {}, {}, {}, 'probe'],
  ['more than its interval takes', { probesPerDay: EVERY_5_MIN }, { probesToday: 144 }, {}, 'probe'],
  ['half of what its interval takes', { probesPerDay: 144 }, {}, {}, 'budget'],
  [
    'the same, ten minutes after a probe',
    { probesPerDay: 144 },
    { lastProbeMs: SLOT - 10 * MINUTE + 400 },
    {},
    'probe',
  ],
  ['a server that was never probed', { probesPerDay: 1 }, { lastProbeMs: null, probesToday: 0 }, {}, 'probe'],
  [
    'the budget is used up',
    { probesPerDay: 20 },
    { probesToday: 20, lastProbeMs: SLOT - 5 * HOUR },
    {},
    'budget',
  ],
  ['used up, to confirm a failure', { probesPerDay: 20 }, { ...CONFIRMING, probesToday: 20 }, {}, 'probe'],
  [
    'overdrawn by a tenth, to confirm a failure',
    { probesPerDay: 20 },
    { ...CONFIRMING, probesToday: 22 },
    {},
    'budget',
  ],
  ['used up, and real calls fail', { probesPerDay: 20 }, { ...HURRIED, probesToday: 20 }, {}, 'probe'],
  [
    'most of it used by hand: what is left is stretched',
    { probesPerDay: 24 },
    { probesToday: 23, lastProbeMs: SLOT - 2 * HOUR },
    {},
    'budget',
  ],
  [
    'bytes for one probe an hour',
    { bytesPerDay: 24_000 },
    { bytesToday: 10_000, probesToday: 10 },
    {},
    'budget',
  ],
  ['the same, two hours later', { bytesPerDay: 24_000 }, { lastProbeMs: SLOT - 2 * HOUR }, {}, 'probe'],
  ['bytes used up', { bytesPerDay: 10_000 }, { lastProbeMs: SLOT - 9 * HOUR }, {}, 'budget'],
  ['bytes, the first probe of the day', { bytesPerDay: 1 }, { probesToday: 0, bytesToday: 0 }, {}, 'probe'],
  ['asleep', { doNotWake: true }, {}, {}, 'do_not_wake'],
  ['a call long ago', { doNotWake: true }, {}, { lastCallMs: SLOT - 11 * MINUTE }, 'do_not_wake'],
  ['a call just now', { doNotWake: true }, {}, { lastCallMs: SLOT - MINUTE }, 'probe'],
  ['asleep, never checked', { doNotWake: true }, { lastProbeMs: null }, {}, 'probe'],
  ['asleep, to confirm a failure', { doNotWake: true }, CONFIRMING, {}, 'probe'],
  [
    'off its slots, long after a probe: no confirmation',
    { doNotWake: true },
    { ...CONFIRMING, lastProbeMs: SLOT - HOUR },
    {},
    'do_not_wake',
  ],
  [
    'asked for before the last probe: no haste',
    { doNotWake: true },
    { hurriedMs: SLOT - HOUR },
    {},
    'do_not_wake',
  ],
  ['calls that go well', { trustTraffic: true }, {}, BUSY, 'traffic'],
  ['too few calls', { trustTraffic: true }, {}, { ...BUSY, calls: 4 }, 'probe'],
  ['one call failed', { trustTraffic: true }, {}, { ...BUSY, failed: 1 }, 'probe'],
  ['calls that go well, of a server that is not up', { trustTraffic: true }, { isUp: false }, BUSY, 'probe'],
  ['calls that go well, to confirm a failure', { trustTraffic: true }, CONFIRMING, BUSY, 'probe'],
  [
    'calls that go well, and no probe for an hour',
    { trustTraffic: true },
    { lastProbeMs: SLOT - HOUR },
    BUSY,
    'probe',
  ],
  ['calls that go well, of a server that nobody trusts', {}, {}, BUSY, 'probe'],
  ['awake, calls that go well', { doNotWake: true, trustTraffic: true }, {}, BUSY, 'traffic'],
])('%s', (_what, settings, given, calls, decision) => {
  expect(decide(settings, given, calls)).toBe(decision);
});

test('a slot that is left out is followed by the server’s next one', () => {
  expect(decideSlot(budget({ doNotWake: true }), facts(), NO_TRAFFIC)).toEqual({
    probe: false,
    reason: 'do_not_wake',
    nextSlotMs: SLOT + INTERVAL,
  });
});

/** A day of slots as the daemon goes through them; how many probes were made, and their longest pause. */
function live(settings: Partial<BudgetSettings>, intervalMs: number, bytesEach = 1_000) {
  let probes = 0;
  let lastProbeMs = MIDNIGHT - intervalMs;
  let longestMs = 0;
  for (let slotMs = slotAfter(ID, intervalMs, MIDNIGHT); slotMs < MIDNIGHT + DAY; slotMs += intervalMs) {
    const at = { intervalMs, slotMs, nowMs: slotMs + 700, lastProbeMs };
    const used = { probesToday: probes, bytesToday: probes * bytesEach };
    if (!decideSlot(budget(settings), facts({ ...at, ...used }), NO_TRAFFIC).probe) continue;
    probes += 1;
    longestMs = Math.max(longestMs, slotMs - lastProbeMs);
    lastProbeMs = slotMs + 300;
  }
  return { probes, longestMs };
}

describe('over a day', () => {
  test('a server without a budget is probed at each slot', () => {
    expect(live({}, INTERVAL).probes).toBe(288);
  });

  test('a budget is never overdrawn by slots, hardly left over, and lasts until the evening', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.constantFrom(30_000, MINUTE, INTERVAL, HOUR),
        (probesPerDay, intervalMs) => {
          const { probes, longestMs } = live({ probesPerDay }, intervalMs);
          const most = Math.min(probesPerDay, DAY / intervalMs);
          expect(probes).toBeLessThanOrEqual(most);
          // Slots are coarse: a pause that lies between two of them takes the later one.
          expect(probes).toBeGreaterThanOrEqual(Math.floor(most / 2));
          expect(longestMs).toBeLessThanOrEqual(DAY / most + 2 * intervalMs);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a budget of bytes lasts the day as well', () => {
    const { probes } = live({ bytesPerDay: 100_000 }, INTERVAL, 2_000);
    expect(probes).toBeGreaterThan(35);
    expect(probes).toBeLessThanOrEqual(51);
  });
});
