import type { VerdictRow } from '../actions.ts';
import { formatCount, formatMs } from './format-values.ts';
import type { Style } from './style.ts';
import { type Column, renderTable } from './table.ts';

const columnsOf = (style: Style): Column<VerdictRow>[] => [
  {
    title: 'VERDICT',
    value: ({ verdict }) => verdict,
    paint: (cell, { verdict }) => style.verdict(verdict, cell),
  },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'TRANSPORT', value: ({ transport }) => transport },
  { title: 'REASON', value: ({ reason }) => reason ?? '' },
  {
    title: 'TIME',
    value: ({ responseMs }) => (responseMs === null ? '' : formatMs(responseMs)),
    align: 'right',
  },
  {
    title: 'MESSAGE',
    value: ({ verdict, message }) => (verdict === 'up' ? '' : (message ?? '')),
    flexible: true,
  },
];

/** 5 up, 1 down: how many there are of each, the first seen first. */
function summarizeVerdicts(rows: readonly VerdictRow[]): string {
  const counts = new Map<string, number>();
  for (const { verdict } of rows) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const parts = [...counts].map(([verdict, count]) => `${count} ${verdict}`);
  return [formatCount(rows.length, 'server'), ...parts].join(', ');
}

/** The table of verdicts with a summary below it. */
export function renderVerdicts(rows: readonly VerdictRow[], style: Style): string {
  return `${renderTable(columnsOf(style), rows, style)}\n${summarizeVerdicts(rows)}\n`;
}
