import { describe, expect, test } from 'vitest';
import { decideHealth, type HealthMemory } from '../../../../src/core/health/decide-health.ts';
import type { Reason, Verdict } from '../../../../src/core/reasons.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const EARLIER = new Date('2025-12-31T00:00:00Z');
const memory = (changes: Partial<HealthMemory> = {}): HealthMemory => ({
  verdict: 'up',
  verdictSince: EARLIER,
  failures: 0,
  successes: 3,
  status: 'active',
  held: false,
  ...changes,
});
const seen = (verdict: Verdict, reason: Reason = 'ok') => ({ verdict, reason });

describe('decideHealth', () => {
  test.each([
    [
      'a first success admits',
      memory({ verdict: null, status: 'inactive' }),
      'up',
      'active',
      'healthy',
      null,
    ],
    [
      'a first failure counts at once',
      memory({ verdict: null, status: 'inactive' }),
      'down',
      'error',
      'unhealthy',
      null,
    ],
    [
      'a first failure of a known server waits for confirmation',
      memory(),
      'down',
      'active',
      'unhealthy',
      10_000,
    ],
    ['a second one confirms', memory({ failures: 1 }), 'down', 'error', 'unhealthy', null],
    [
      'missing credentials are damped like an outage',
      memory({ failures: 1 }),
      'unauthenticated',
      'error',
      'unhealthy',
      null,
    ],
    [
      'a success ends an outage',
      memory({ verdict: 'down', failures: 9, status: 'error' }),
      'up',
      'active',
      'healthy',
      null,
    ],
    ['degraded is alive', memory({ failures: 1 }), 'degraded', 'active', 'healthy', null],
    ['unknown says nothing', memory({ failures: 1 }), 'unknown', 'active', 'unknown', null],
    ['waking says nothing', memory(), 'waking', 'active', 'unknown', null],
    [
      'a held status stays, down',
      memory({ status: 'inactive', held: true, failures: 5 }),
      'down',
      'inactive',
      'unhealthy',
      null,
    ],
    [
      'a held status stays, up',
      memory({ status: 'inactive', held: true }),
      'up',
      'inactive',
      'healthy',
      null,
    ],
    [
      'maintenance stays',
      memory({ status: 'maintenance', held: true }),
      'down',
      'maintenance',
      'unhealthy',
      10_000,
    ],
  ] as const)('%s', (_, before, verdict, status, healthStatus, confirmInMs) => {
    const decision = decideHealth(before, seen(verdict), NOW);
    expect(decision).toMatchObject({ status, healthStatus, confirmInMs });
    expect(decision.statusChange).toEqual(
      status === before.status ? null : { before: before.status, after: status },
    );
  });

  test('dates a verdict from when it began', () => {
    expect(decideHealth(memory(), seen('up'), NOW).verdictSince).toEqual(EARLIER);
    expect(decideHealth(memory(), seen('down'), NOW).verdictSince).toEqual(NOW);
  });

  test('labels what is in maintenance, and counts on underneath', () => {
    const decision = decideHealth(
      memory({ status: 'maintenance', held: true, failures: 1 }),
      seen('down', 'refused'),
      NOW,
    );
    expect(decision).toMatchObject({ verdict: 'maintenance', reason: 'refused', failures: 2, successes: 0 });
  });

  test('confirms later the second time when the policy wants three failures', () => {
    const policy = { failuresToDown: 3, confirmAfterMs: [10_000, 20_000] };
    expect(decideHealth(memory(), seen('down'), NOW, policy).confirmInMs).toBe(10_000);
    expect(decideHealth(memory({ failures: 1 }), seen('down'), NOW, policy).confirmInMs).toBe(20_000);
    expect(decideHealth(memory({ failures: 2 }), seen('down'), NOW, policy).status).toBe('error');
  });
});
