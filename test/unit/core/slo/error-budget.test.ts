import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../../src/core/policy.ts';
import {
  FRESH_SLO,
  type SloMemory,
  type SloStanding,
  stepSlo,
} from '../../../../src/core/slo/error-budget.ts';
import { alertsOf, run, START_MS, stateOf } from '../../../support/health.ts';

const POLICY = DEFAULT_POLICY.slo;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** 99.5% over 30 days: 216 minutes may be bad. */
const BUDGET_MINUTES = 216;

type State = 'good' | 'bad' | null;

/** Minutes of states, one observation each minute; the last one closes. */
function live(
  spans: readonly [State, number][],
  before: SloMemory = FRESH_SLO,
  everyMs = MINUTE,
): SloStanding[] {
  let memory = before;
  let atMs = before.lastMs ?? START_MS;
  const standings: SloStanding[] = [];
  for (const [state, minutes] of spans) {
    for (let minute = 0; minute < minutes; minute += 1) {
      const standing = stepSlo(memory, { atMs, state }, POLICY, POLICY.objective);
      standings.push(standing);
      memory = standing.memory;
      atMs += everyMs;
    }
  }
  standings.push(stepSlo(memory, { atMs, state: 'good' }, POLICY, POLICY.objective));
  return standings;
}

const last = (standings: SloStanding[]): SloStanding => standings.at(-1) as SloStanding;

describe('the error budget', () => {
  test.each<[string, [State, number][], number]>([
    ['all of it', [['good', 100]], 0],
    [
      'bad minutes',
      [
        ['good', 10],
        ['bad', 54],
        ['good', 10],
      ],
      54,
    ],
    ['an overdrawn one', [['bad', 432]], 432],
    [
      'what says nothing is not held against it',
      [
        ['bad', 10],
        [null, 600],
        ['bad', 10],
      ],
      20,
    ],
  ])('%s', (_, spans, spentMinutes) => {
    expect(last(live(spans)).budgetLeft).toBeCloseTo(1 - spentMinutes / BUDGET_MINUTES, 6);
  });

  test('comes back as its window moves on', () => {
    const spent = last(live([['bad', 54]]));
    expect(spent.budgetLeft).toBeCloseTo(0.75, 6);
    const at = (days: number) =>
      stepSlo(spent.memory, { atMs: START_MS + days * DAY, state: 'good' }, POLICY, POLICY.objective)
        .budgetLeft;
    expect(at(29)).toBeCloseTo(0.75, 6);
    expect(at(30)).toBe(1);
  });

  test('a failure that nobody looked at again is believed for an hour', () => {
    const bad = stepSlo(FRESH_SLO, { atMs: START_MS, state: 'bad' }, POLICY, POLICY.objective);
    const late = stepSlo(bad.memory, { atMs: START_MS + DAY, state: 'bad' }, POLICY, POLICY.objective);
    expect(late.budgetLeft).toBeCloseTo(1 - 60 / BUDGET_MINUTES, 6);
  });
});

describe('burning', () => {
  test('quickly: both windows, an hour and five minutes, are over the rate after 4.3 bad minutes', () => {
    const standings = live([
      ['good', 60],
      ['bad', 10],
    ]);
    const from = standings.findIndex(({ burn }) => burn !== null);
    expect(from).toBe(60 + 5);
    expect(standings[from]?.burn).toMatchObject({ rule: { longMs: 3_600_000, rate: 14.4 }, fastest: true });
  });

  test('slowly: one bad minute in ten uses six hours and half an hour up twenty times too fast', () => {
    const pattern = Array.from({ length: 40 }, (): [State, number][] => [
      ['bad', 1],
      ['good', 15],
    ]).flat();
    const burning = live(pattern).find(({ burn }) => burn !== null);
    expect(burning?.burn).toMatchObject({ rule: { longMs: 21_600_000, rate: 6 }, fastest: false });
  });

  test('not for a moment: one failure, or bad minutes that are over', () => {
    expect(
      live([
        ['good', 60],
        ['bad', 1],
        ['good', 60],
      ]).every(({ burn }) => burn === null),
    ).toBe(true);
  });

  test('ends once, when the short window is well below the rate', () => {
    const standings = live([
      ['good', 60],
      ['bad', 10],
      ['good', 60],
    ]);
    const quick = standings.map(({ memory }) => memory.burning.includes('3600000/300000'));
    const from = quick.indexOf(true);
    const until = quick.indexOf(false, from);
    expect([from, until]).toEqual([65, 75]);
    expect(quick.indexOf(true, until)).toBe(-1);
  });

  test('is one alert for each server, which says how fast and how much is left', () => {
    const outage = run(stateOf('active'), Array(20).fill('closed'));
    const fired = outage.flatMap(({ alerts }) => alerts).find(({ key }) => key === 'slo_burn:a');
    expect(alertsOf(outage)).toEqual(['fire server_down', 'fire slo_burn']);
    expect(fired).toMatchObject({
      severity: 'error',
      title: expect.stringMatching(/^Server A burns its error budget \d+\.\d times too fast$/),
      description: expect.stringMatching(
        /^Its objective is 99\.5%\. Over 1 h and 5 min it failed .* left\.$/,
      ),
      data: { longMs: 3_600_000, shortMs: 300_000, rate: 14.4, objective: 0.995 },
    });
    const back = run(outage.at(-1)?.state ?? stateOf('active'), Array(60).fill('ok'));
    expect(alertsOf(back)).toEqual(['resolve server_down', 'resolve slo_burn']);
  });

  test('maintenance is not held against a server', () => {
    const registered = { status: 'maintenance', held: true, ours: false } as const;
    const outage = run(stateOf('maintenance'), Array(60).fill('closed'), { registered });
    expect(outage.at(-1)?.errorBudgetLeft).toBe(1);
  });
});

test('the memory stays small and its sums true, however often a server changes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 100, maxLength: 300 }),
      (steps) => {
        let memory = FRESH_SLO;
        let atMs = START_MS;
        let badMs = 0;
        steps.forEach((stepMs, index) => {
          memory = stepSlo(
            memory,
            { atMs, state: index % 2 === 0 ? 'bad' : 'good' },
            POLICY,
            POLICY.objective,
          ).memory;
          if (index % 2 === 0) badMs += stepMs;
          atMs += stepMs;
        });
        const end = stepSlo(memory, { atMs, state: 'good' }, POLICY, POLICY.objective);
        expect(end.memory.bad.length).toBeLessThanOrEqual(64);
        expect(end.budgetLeft).toBeCloseTo(1 - badMs / (BUDGET_MINUTES * MINUTE), 6);
      },
    ),
    { numRuns: 50 },
  );
});
