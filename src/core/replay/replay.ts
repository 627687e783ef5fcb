import { decideHealth } from '../health/decide-health.ts';
import type { Subject } from '../health/health-alerts.ts';
import { HEALTH_ALERTS, type HealthAlert, type HealthState } from '../health/memory.ts';
import type { Policy } from '../policy.ts';
import { type RecordedProbe, type StoredState, stateOf } from './health-record.ts';

/** One alert, real or replayed. */
export interface AlertSpan {
  kind: HealthAlert;
  title: string;
  startedMs: number;
  /** null while it fires. */
  resolvedMs: number | null;
}

/** An alert of a replay. */
export interface ReplayedAlert extends AlertSpan {
  /** It fired when the replay began: when it started is not known to it. */
  inherited: boolean;
}

export interface Replay {
  /** The alerts that fired at `sinceMs` or later. */
  alerts: ReplayedAlert[];
  /** Probes decided again at `sinceMs` or later. */
  probes: number;
  /** Those of them whose state is not the one that was stored. */
  different: number;
  /** The first of these. */
  firstDifference: { atMs: number; stored: StoredState; replayed: StoredState } | null;
  /** Newer probes that could not be decided, since no state to start from came before them. */
  skipped: number;
}

export interface ReplayRequest {
  subject: Subject;
  policy: Policy;
  objective: number;
  sinceMs: number;
}

/**
 * Decides again what a server's history holds, with any policy. The history begins before `sinceMs`,
 * at a row that carries its state: what lies between is decided as well, and only not told of.
 */
export function createReplay({ subject, policy, objective, sinceMs }: ReplayRequest) {
  let state: HealthState | null = null;
  const firing = new Map<HealthAlert, ReplayedAlert>();
  const ended: ReplayedAlert[] = [];
  const result: Omit<Replay, 'alerts'> = { probes: 0, different: 0, firstDifference: null, skipped: 0 };

  function begin(start: HealthState, atMs: number): HealthState {
    for (const kind of HEALTH_ALERTS) {
      if (start.memory.firing?.includes(kind) && !firing.has(kind)) {
        firing.set(kind, { kind, title: '', startedMs: atMs, resolvedMs: null, inherited: true });
      }
    }
    return start;
  }

  return {
    /** The next probe, in the order of the history. */
    add(probe: RecordedProbe): void {
      const tells = probe.atMs >= sinceMs;
      if (probe.start && (state === null || probe.begun)) state = begin(probe.start, probe.atMs);
      if (state === null) {
        if (tells) result.skipped += 1;
        return;
      }
      const { observation, context, registered, atMs } = probe;
      const decision = decideHealth(state, { subject, observation, context, registered, objective }, policy);
      state = decision.state;
      for (const change of decision.alerts) {
        if (change.action === 'fire') {
          const kind = HEALTH_ALERTS.find((candidate) => candidate === change.kind);
          if (kind && !firing.has(kind)) {
            firing.set(kind, {
              kind,
              title: change.title,
              startedMs: atMs,
              resolvedMs: null,
              inherited: false,
            });
          }
          continue;
        }
        const kind = HEALTH_ALERTS.find((candidate) => change.key.startsWith(`${candidate}:`));
        const open = kind && firing.get(kind);
        if (!open) continue;
        firing.delete(open.kind);
        ended.push({ ...open, resolvedMs: atMs });
      }
      if (!tells) return;
      result.probes += 1;
      const replayed = stateOf(decision);
      if (isSameState(replayed, probe.stored)) return;
      result.different += 1;
      result.firstDifference ??= { atMs, stored: probe.stored, replayed };
    },
    result(): Replay {
      const alerts = [...ended, ...firing.values()]
        .filter(({ resolvedMs }) => resolvedMs === null || resolvedMs >= sinceMs)
        .sort((a, b) => a.startedMs - b.startedMs);
      return { ...result, alerts };
    },
  };
}

function isSameState(a: StoredState, b: StoredState): boolean {
  return (
    a.verdict === b.verdict &&
    a.reason === b.reason &&
    a.status === b.status &&
    a.hard === b.hard &&
    a.flapping === b.flapping
  );
}
