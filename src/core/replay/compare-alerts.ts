import type { AlertSpan, ReplayedAlert } from './replay.ts';

/** One line of the comparison between the alerts of a replay and those that were really raised. */
export type ComparedAlert =
  /** In both; the replay has it so much later, or, below 0, sooner. */
  | { match: 'both'; replayed: AlertSpan; real: AlertSpan; laterMs: number }
  /** Only the replay raises it. */
  | { match: 'added'; replayed: AlertSpan; real: null }
  /** It was raised, and the replay does not. */
  | { match: 'missed'; replayed: null; real: AlertSpan };

/** Pairs alerts of one kind that fired at the same time, each with the first that it overlaps; in order of time. */
export function compareAlerts(
  replayed: readonly ReplayedAlert[],
  real: readonly AlertSpan[],
): ComparedAlert[] {
  const open = [...real].sort((a, b) => a.startedMs - b.startedMs);
  const compared = replayed.map(({ inherited, ...alert }): ComparedAlert => {
    const place = open.findIndex((candidate) => candidate.kind === alert.kind && overlap(candidate, alert));
    const [match] = place === -1 ? [] : open.splice(place, 1);
    if (!match) return { match: 'added', replayed: alert, real: null };
    if (!inherited) {
      return { match: 'both', replayed: alert, real: match, laterMs: alert.startedMs - match.startedMs };
    }
    const { startedMs, title } = match;
    return { match: 'both', replayed: { ...alert, startedMs, title }, real: match, laterMs: 0 };
  });
  const missed = open.map((alert): ComparedAlert => ({ match: 'missed', replayed: null, real: alert }));
  return [...compared, ...missed].sort((a, b) => startOf(a) - startOf(b));
}

const startOf = ({ replayed, real }: ComparedAlert): number => (replayed ?? real)?.startedMs ?? 0;

const overlap = (a: AlertSpan, b: AlertSpan): boolean =>
  a.startedMs <= (b.resolvedMs ?? Number.POSITIVE_INFINITY) &&
  b.startedMs <= (a.resolvedMs ?? Number.POSITIVE_INFINITY);
