import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideHealth, type HealthInput } from '../../../../src/core/health/decide-health.ts';
import { type HealthState, parseState, SERVER_STATUSES } from '../../../../src/core/health/memory.ts';
import { DEFAULT_POLICY, type Policy } from '../../../../src/core/policy.ts';
import { REASON_CODES, REASONS, type Reason } from '../../../../src/core/reasons.ts';
import { healthRecord, readRecord, stateOf as storedOf } from '../../../../src/core/replay/health-record.ts';
import { createReplay } from '../../../../src/core/replay/replay.ts';
import { run, START_MS, SUBJECT, saw, stateOf, step } from '../../../support/health.ts';

/** What classify can say: waking and slow are decided, not seen. */
const SEEN = REASON_CODES.filter(
  (reason) => !['waking', 'slow', 'calls_failing', 'monitor_offline'].includes(reason),
);
const BAD = SEEN.filter((reason) => ['down', 'unauthenticated'].includes(REASONS[reason].verdict));

const delays = fc.array(fc.integer({ min: 100, max: 3_600_000 }), { minLength: 1, maxLength: 4 });
const policies: fc.Arbitrary<Policy> = fc
  .record({
    failuresToDown: fc.integer({ min: 1, max: 6 }),
    successesToUp: fc.integer({ min: 1, max: 6 }),
    confirmAfterMs: delays,
    confirmRefusedAfterMs: delays,
    probes: fc.integer({ min: 5, max: 60 }),
    shares: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    coldAfterMs: fc.constantFrom(0, 60_000, 600_000),
    minSamples: fc.integer({ min: 1, max: 12 }),
    slowSlots: fc.integer({ min: 1, max: 4 }),
    objective: fc.constantFrom(0.5, 0.9, 0.995, 0.9999),
  })
  .filter(({ shares }) => shares[0] !== shares[1])
  .map(({ probes, shares, coldAfterMs, minSamples, slowSlots, objective, ...health }) => ({
    ...DEFAULT_POLICY,
    health: {
      ...health,
      flapping: { probes, startShare: Math.max(...shares), stopShare: Math.min(...shares) },
    },
    latency: { ...DEFAULT_POLICY.latency, coldAfterMs, minSamples, slowSlots },
    slo: { ...DEFAULT_POLICY.slo, objective },
  }));

interface Event {
  reason: Reason;
  /** Since the one before; clocks go back, too. */
  stepMs: number;
  totalMs: number;
  manual: boolean;
  offline: boolean;
  failing: boolean;
  registered: 'own' | 'inactive' | 'maintenance' | 'overlaid';
}
const events: fc.Arbitrary<Event> = fc.record({
  reason: fc.oneof(
    { arbitrary: fc.constant<Reason>('ok'), weight: 5 },
    { arbitrary: fc.constantFrom<Reason>(...BAD), weight: 4 },
    fc.constantFrom<Reason>(...SEEN),
  ),
  stepMs: fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 400_000 }), weight: 9 },
    fc.integer({ min: -100_000, max: 90_000_000 }),
  ),
  totalMs: fc.oneof(
    fc.double({ min: 1, max: 60, noNaN: true }),
    fc.double({ min: 0, max: 40_000, noNaN: true }),
  ),
  manual: fc.boolean(),
  offline: fc.oneof({ arbitrary: fc.constant(false), weight: 9 }, fc.constant(true)),
  failing: fc.oneof({ arbitrary: fc.constant(false), weight: 9 }, fc.constant(true)),
  registered: fc.oneof(
    { arbitrary: fc.constant<Event['registered']>('own'), weight: 12 },
    fc.constantFrom<Event['registered']>('inactive', 'maintenance', 'overlaid'),
  ),
});
const histories = fc.array(events, { maxLength: 120 });
const statuses = fc.constantFrom(...SERVER_STATUSES);

function inputOf(event: Event, atMs: number, state: HealthState, objective: number): HealthInput {
  const { status } = state.memory;
  const registered = {
    own: { status, held: false, ours: true },
    inactive: { status: 'inactive' as const, held: true, ours: false },
    maintenance: { status: 'maintenance' as const, held: true, ours: false },
    overlaid: { status: 'maintenance' as const, held: false, ours: true },
  }[event.registered];
  return {
    subject: SUBJECT,
    observation: saw(event.reason, {
      atMs,
      totalMs: event.totalMs,
      phases: { connect: event.totalMs / 10, handshake: event.totalMs / 2 },
      manual: event.manual,
    }),
    context: { monitorOffline: event.offline, failingCalls: event.failing ? { calls: 30, errors: 9 } : null },
    registered,
    objective,
  };
}

/** The state as the database gives it back. */
function storedAndRead(state: HealthState): HealthState {
  const read = parseState(JSON.parse(JSON.stringify(state)), {
    status: 'inactive',
    failures: 0,
    successes: 0,
  });
  expect(read.begun).toBe(false);
  return read.state;
}

const RUNS = { numRuns: 300 };

describe('for any history and any policy', () => {
  test('no alert fires twice without an end between, and none ends that does not fire', () => {
    fc.assert(
      fc.property(policies, statuses, histories, (policy, status, history) => {
        let state = stateOf(status);
        let atMs = START_MS;
        const firing = new Set<string>();
        for (const event of history) {
          atMs += event.stepMs;
          const decision = decideHealth(state, inputOf(event, atMs, state, policy.slo.objective), policy);
          for (const { action, key } of decision.alerts) {
            expect(firing.has(key)).toBe(action === 'resolve');
            if (action === 'fire') firing.add(key);
            else firing.delete(key);
          }
          // One outage, one alert: down and without credentials are never told of together.
          expect(firing.has('server_down:a') && firing.has('server_unauthenticated:a')).toBe(false);
          state = storedAndRead(decision.state);
          expect([...firing].map((key) => key.split(':')[0]).sort()).toEqual(
            [...(state.memory.firing ?? [])].sort(),
          );
        }
      }),
      RUNS,
    );
  });

  test('enough successes bring everything back: no alert, active, not flapping, hard', () => {
    fc.assert(
      fc.property(policies, statuses, histories, (policy, status, history) => {
        let state = stateOf(status);
        let atMs = START_MS;
        for (const event of history) {
          atMs += event.stepMs;
          state = decideHealth(state, inputOf(event, atMs, state, policy.slo.objective), policy).state;
        }
        atMs = Math.max(atMs, state.memory.lastMs ?? 0);
        // As long as the slowest rule of the budget takes to forget, and the longest change of latency to be learned.
        for (let index = 0; index < 900; index += 1) {
          atMs += 60_000;
          const observation = saw('ok', { atMs });
          state = step(state, observation, { policy }).state;
        }
        const last = step(state, saw('ok', { atMs: atMs + 60_000 }), { policy });
        expect(last).toMatchObject({
          status: 'active',
          healthStatus: 'healthy',
          hard: true,
          flapping: false,
        });
        expect(last.own.verdict).toBe('up');
        expect(last.state.memory.firing).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('an outage of a server that was well alerts no sooner than failuresToDown failures in a row', () => {
    fc.assert(
      fc.property(policies, histories, (policy, history) => {
        let state = stateOf('active');
        let atMs = START_MS;
        let failures = 0;
        for (const event of history) {
          atMs += event.stepMs;
          const input = inputOf(event, atMs, state, policy.slo.objective);
          const decision = decideHealth(state, input, policy);
          const { healthStatus } = decision;
          if (healthStatus !== 'unknown') failures = healthStatus === 'unhealthy' ? failures + 1 : 0;
          // What was held back while it flapped, or while a person had it switched off, begins late, never early.
          const held = state.memory.flapping || state.memory.confirmed === decision.confirmed;
          const fired = decision.alerts.some(
            ({ action, key }) => action === 'fire' && /^server_(down|unauth)/.test(key),
          );
          if (fired && !held) expect(failures).toBeGreaterThanOrEqual(policy.health.failuresToDown);
          if (decision.status === 'error' && state.memory.status !== 'error') {
            expect(failures).toBeGreaterThanOrEqual(policy.health.failuresToDown);
          }
          state = decision.state;
        }
      }),
      RUNS,
    );
  });

  test('what says nothing about the server moves no counter and no status', () => {
    fc.assert(
      fc.property(
        policies,
        histories,
        fc.constantFrom<Reason>('internal', 'egress_denied'),
        (policy, history, nothing) => {
          let state = stateOf('active');
          let atMs = START_MS;
          for (const event of history) {
            atMs += event.stepMs;
            state = decideHealth(state, inputOf(event, atMs, state, policy.slo.objective), policy).state;
          }
          const after = step(state, saw(nothing, { atMs }), { policy });
          const { runs, confirmed, recent, status } = state.memory;
          expect(after.state.memory).toMatchObject({ runs, confirmed, recent, status });
          expect(after.state.latency).toEqual(state.latency);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a replay of what was stored decides every state again as it was', () => {
    fc.assert(
      fc.property(policies, statuses, histories, fc.nat(119), (policy, status, history, from) => {
        let read = { state: stateOf(status), begun: true };
        let atMs = START_MS;
        const alerts: string[] = [];
        const rows = history.map((event) => {
          // The store gives each row of a server a later moment than the one before.
          atMs = Math.max(atMs + event.stepMs, (read.state.memory.lastMs ?? 0) + 1);
          const input = inputOf(event, atMs, read.state, policy.slo.objective);
          const decision = decideHealth(read.state, input, policy);
          alerts.push(...decision.alerts.map(({ action, key }) => `${action} ${key} ${atMs}`));
          const { phases, totalMs, manual } = input.observation;
          const custom = { ...healthRecord(input, read, decision), phases, totalMs, manual };
          read = { state: storedAndRead(decision.state), begun: false };
          return {
            atMs,
            message: decision.own.message,
            custom: JSON.parse(JSON.stringify(custom)),
            decision,
          };
        });
        const { objective } = policy.slo;
        const replay = createReplay({ subject: SUBJECT, policy, objective, sinceMs: START_MS - 1e9 });
        for (const row of rows) {
          const probe = readRecord(row);
          expect(probe?.stored).toEqual(storedOf(row.decision));
          if (probe) replay.add(probe);
        }
        const whole = replay.result();
        expect(whole).toMatchObject({ probes: rows.length, different: 0, firstDifference: null, skipped: 0 });
        const told = whole.alerts.flatMap(({ kind, startedMs, resolvedMs }) => [
          `fire ${kind}:a ${startedMs}`,
          ...(resolvedMs === null ? [] : [`resolve ${kind}:a ${resolvedMs}`]),
        ]);
        expect(told.sort()).toEqual(alerts.sort());

        // Also from any row that carries the state before it.
        const starts = rows.flatMap(({ custom }, index) => (custom.health.start ? [index] : []));
        const start = starts[from % Math.max(1, starts.length)] ?? 0;
        const late = createReplay({ subject: SUBJECT, policy, objective, sinceMs: rows[start]?.atMs ?? 0 });
        for (const row of rows.slice(start)) {
          const probe = readRecord(row);
          if (probe) late.add(probe);
        }
        expect(late.result()).toMatchObject({ probes: rows.length - start, different: 0, skipped: 0 });
      }),
      RUNS,
    );
  });
});

test('a memory that is damaged begins anew, and goes on', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), statuses, (memory, latency, status) => {
      const { state, begun } = parseState({ memory, latency }, { status, failures: 3, successes: 0 });
      expect(begun).toBe(true);
      expect(run(state, ['ok', 'ok', 'ok']).at(-1)).toMatchObject({ status: 'active', hard: true });
    }),
    { numRuns: 200 },
  );
});
