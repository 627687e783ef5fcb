import { type AlertChange, alertKey, type Severity } from '../alerts/alert.ts';
import { REASONS } from '../reasons.ts';
import type { SloStanding } from '../slo/error-budget.ts';
import { isHard, levelOf } from './confirm.ts';
import type { OwnState } from './context.ts';
import { type Confirmed, HEALTH_ALERTS, type HealthAlert } from './memory.ts';

/** Whom alerts are about. */
export interface Subject {
  id: string;
  name: string;
  tenantId: string | null;
}

export interface AlertFacts {
  atMs: number;
  own: OwnState;
  confirmed: Confirmed;
  failures: number;
  flapping: boolean;
  slo: Pick<SloStanding, 'burn' | 'budgetLeft'>;
  objective: number;
  /** A person has switched the server off: nobody waits for it. */
  unwatched: boolean;
}

/**
 * The alerts that are to fire after an observation. While a server flaps, those about its state stay as
 * they are, firing or not: the one that says so is all that is new.
 */
export function wantedAlerts(firing: readonly HealthAlert[], facts: AlertFacts): HealthAlert[] {
  if (facts.unwatched) return [];
  if (facts.flapping) {
    return HEALTH_ALERTS.filter((kind) => kind === 'server_flapping' || firing.includes(kind));
  }
  return HEALTH_ALERTS.filter((kind) => {
    if (kind === 'server_down') return facts.confirmed === 'down';
    if (kind === 'server_unauthenticated') return facts.confirmed === 'unauthenticated';
    if (kind === 'server_degraded') return facts.confirmed === 'degraded';
    return kind === 'slo_burn' && facts.slo.burn !== null;
  });
}

/** From the alerts that fire to those that are to: what begins and what ends; null: all is said again. */
export function changeAlerts(
  firing: readonly HealthAlert[] | null,
  wanted: readonly HealthAlert[],
  subject: Subject,
  facts: AlertFacts,
): AlertChange[] {
  const { atMs, own } = facts;
  const ending = HEALTH_ALERTS.filter(
    (kind) => !wanted.includes(kind) && (firing === null || firing.includes(kind)),
  );
  const beginning = wanted.filter((kind) => firing === null || !firing.includes(kind));
  return [
    ...ending.map(
      (kind): AlertChange => ({
        action: 'resolve',
        key: alertKey(kind, subject.id),
        atMs,
        data: { after: own.verdict },
      }),
    ),
    ...beginning.map(
      (kind): AlertChange => ({
        action: 'fire',
        kind,
        key: alertKey(kind, subject.id),
        serverId: subject.id,
        tenantId: subject.tenantId,
        atMs,
        ...wordsOf(kind, subject, facts),
      }),
    ),
  ];
}

interface Words {
  severity: Severity;
  title: string;
  description: string | null;
  data: Record<string, unknown>;
}

function wordsOf(kind: HealthAlert, { name }: Subject, facts: AlertFacts): Words {
  const { own, failures } = facts;
  const { title, suggestion } = REASONS[own.reason];
  const described = { description: `${own.message ?? title}. ${suggestion}`, data: dataOf(own, failures) };
  switch (kind) {
    case 'server_down':
      return { severity: 'error', title: `${name} is down: ${whyOf(facts)}`, ...described };
    case 'server_unauthenticated':
      return { severity: 'warning', title: `${name} does not let us in: ${whyOf(facts)}`, ...described };
    case 'server_degraded':
      return { severity: 'warning', title: `${name} is degraded: ${whyOf(facts)}`, ...described };
    case 'server_flapping':
      return {
        severity: 'warning',
        title: `${name} is flapping`,
        description:
          'It goes up and down so often that each change would be noise: its other alerts are held as they are until it settles.',
        data: dataOf(own, failures),
      };
    case 'slo_burn':
      return burnWords(name, facts);
  }
}

/** An alert that was held back may begin at an observation of something else. */
const whyOf = ({ own, confirmed }: AlertFacts): string =>
  isHard(confirmed, levelOf(own.verdict)) ? REASONS[own.reason].title : 'that it recovered is not confirmed';

const dataOf = (own: OwnState, failures: number) => ({
  verdict: own.verdict,
  reason: own.reason,
  failures,
});

function burnWords(name: string, { slo, objective }: AlertFacts): Words {
  const { burn, budgetLeft } = slo;
  const windows = burn ? `${windowText(burn.rule.longMs)} and ${windowText(burn.rule.shortMs)}` : '';
  return {
    severity: burn?.fastest ? 'error' : 'warning',
    title: `${name} burns its error budget ${burn ? burn.long.toFixed(1) : ''} times too fast`,
    description: `Its objective is ${(objective * 100).toFixed(3).replace(/\.?0+$/, '')}%. Over ${windows} it failed more than ${burn?.rule.rate ?? 0} times as much as that allows; ${Math.round(budgetLeft * 100)}% of the budget is left.`,
    data: {
      objective,
      budgetLeft,
      ...(burn
        ? {
            longMs: burn.rule.longMs,
            shortMs: burn.rule.shortMs,
            rate: burn.rule.rate,
            burnLong: burn.long,
            burnShort: burn.short,
          }
        : {}),
    },
  };
}

function windowText(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
