import type { ComparedAlert } from '../../core/replay/compare-alerts.ts';
import type { StoredState } from '../../core/replay/health-record.ts';
import type { ReplayResult } from '../actions.ts';
import { escapeText } from './escape.ts';
import { formatCount } from './format-values.ts';
import type { Style } from './style.ts';
import { type Column, renderTable } from './table.ts';

const COLUMNS: Column<ComparedAlert>[] = [
  { title: 'ALERT', value: (alert) => spanOf(alert).kind },
  { title: 'FIRED', value: (alert) => new Date(spanOf(alert).startedMs).toISOString() },
  { title: 'FOR', value: (alert) => lastedText(spanOf(alert)), align: 'right' },
  { title: 'COMPARED', value: comparedText },
  { title: 'ABOUT', value: (alert) => spanOf(alert).title, flexible: true },
];

const spanOf = (alert: ComparedAlert) => (alert.match === 'missed' ? alert.real : alert.replayed);

function comparedText(alert: ComparedAlert): string {
  if (alert.match === 'added') return 'new';
  if (alert.match === 'missed') return 'missed';
  if (alert.laterMs === 0) return 'as raised';
  return `${durationText(Math.abs(alert.laterMs))} ${alert.laterMs > 0 ? 'later' : 'sooner'}`;
}

function lastedText({ startedMs, resolvedMs }: { startedMs: number; resolvedMs: number | null }): string {
  return resolvedMs === null ? 'still firing' : durationText(resolvedMs - startedMs);
}

function durationText(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${(ms / 86_400_000).toFixed(1)} d`;
}

const stateText = ({ verdict, reason, status, hard, flapping }: StoredState): string =>
  `${verdict}, ${reason}, ${hard ? 'hard' : 'soft'}, status ${status}${flapping ? ', flapping' : ''}`;

/** What a replay says: the alerts, and how its states differ from the stored ones. */
export function renderReplay(result: ReplayResult, style: Style): string {
  const { server, since, probes, skipped, different, firstDifference, alerts } = result;
  const lines = [`${escapeText(server.name)}: ${formatCount(probes, 'probe')} since ${since}`];
  if (skipped > 0) {
    lines.push(`${formatCount(skipped, 'probe')} left out: no state is stored before them to start from`);
  }
  if (firstDifference) {
    const { at, stored, replayed } = firstDifference;
    lines.push(
      `${formatCount(different, 'state')} other than stored, first at ${at}:`,
      `  stored   ${stateText(stored)}`,
      `  replayed ${stateText(replayed)}`,
    );
  } else if (probes > 0) lines.push('every state is as it was stored');
  const text = lines.map((line) => `${line}\n`).join('');
  if (alerts.length === 0) return `${text}no alerts, neither replayed nor raised\n`;
  return `${text}\n${renderTable(COLUMNS, alerts, style)}\n${summaryOf(alerts)}\n`;
}

function summaryOf(alerts: readonly ComparedAlert[]): string {
  const count = (match: ComparedAlert['match']) => alerts.filter((alert) => alert.match === match).length;
  return `${count('both')} as raised, sooner or later, ${count('added')} new, ${count('missed')} missed`;
}
