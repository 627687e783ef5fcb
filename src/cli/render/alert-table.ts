import type { AlertSummary } from '../actions.ts';
import { formatAge } from './format-values.ts';
import type { Style } from './style.ts';
import { type Column, renderTable } from './table.ts';

/** Whom: each channel, with what is not simply told. Why not: the reason that holds it. */
const toldOf = ({ told, heldBecause }: AlertSummary): string =>
  [
    ...told.map(({ channel, state }) => (state === 'told' ? channel : `${channel} (${state})`)),
    ...(heldBecause === null ? [] : [`held: ${heldBecause}`]),
  ].join(', ');

const columns = (style: Style, now: number): Column<AlertSummary>[] => [
  {
    title: 'STATE',
    value: ({ resolvedAt }) => (resolvedAt === null ? 'firing' : 'resolved'),
    paint: (cell, { resolvedAt }) => (resolvedAt === null ? style.verdict('down', cell) : style.faint(cell)),
  },
  { title: 'SEVERITY', value: ({ severity }) => severity },
  { title: 'SINCE', value: ({ startedAt }) => formatAge(startedAt, now) },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'SERVER', value: ({ serverName, serverId }) => serverName ?? serverId ?? '', flexible: true },
  { title: 'TITLE', value: ({ title }) => title, flexible: true },
  { title: 'TOLD', value: toldOf, flexible: true },
];

export function renderAlerts(alerts: readonly AlertSummary[], style: Style, now: number): string {
  return renderTable(columns(style, now), alerts, style);
}
