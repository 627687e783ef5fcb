import { INVENTORY_KINDS } from '../../core/outcome.ts';
import { REASONS } from '../../core/reasons.ts';
import type { ServerDetail, ServerSummary } from '../actions.ts';
import { escapeText } from './escape.ts';
import { formatAge, formatMs } from './format-values.ts';
import type { Style } from './style.ts';
import { type Column, renderTable } from './table.ts';

const listColumns = (style: Style, now: number): Column<ServerSummary>[] => [
  {
    title: 'VERDICT',
    value: ({ verdict }) => verdict ?? 'not probed',
    paint: (cell, { verdict }) => (verdict ? style.verdict(verdict, cell) : style.faint(cell)),
  },
  { title: 'ID', value: ({ id }) => id, flexible: true },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'TRANSPORT', value: ({ transport }) => transport },
  { title: 'STATUS', value: ({ status }) => status },
  { title: 'REASON', value: ({ reason }) => reason ?? '' },
  {
    title: 'TIME',
    value: ({ responseMs }) => (responseMs === null ? '' : formatMs(responseMs)),
    align: 'right',
  },
  { title: 'CHECKED', value: ({ checkedAt }) => formatAge(checkedAt, now) },
  { title: 'ENDPOINT', value: ({ endpointUrl }) => endpointUrl, flexible: true },
];

export function renderServerList(servers: readonly ServerSummary[], style: Style, now: number): string {
  return renderTable(listColumns(style, now), servers, style);
}

function describe(server: ServerDetail, now: number): [string, string][] {
  const { inventory, verdict, reason } = server;
  const counts = inventory && INVENTORY_KINDS.map((kind) => `${kind} ${inventory[kind]}`).join(', ');
  return [
    ['name', server.name],
    ['description', server.description ?? ''],
    ['version', server.version ?? ''],
    ['endpoint', server.endpointUrl],
    ['transport', server.transport],
    ['auth', server.authType],
    ['tenant', server.tenantId ?? ''],
    ['tags', server.tags.join(', ')],
    ['status', server.status],
    ['verdict', [verdict ?? 'not probed', reason ?? ''].filter(Boolean).join(', ')],
    ['message', verdict === 'up' ? '' : (server.message ?? '')],
    ['what to do', reason && reason !== 'ok' ? REASONS[reason].suggestion : ''],
    ['checked', formatAge(server.checkedAt, now)],
    ['next probe', server.nextProbeAt ?? ''],
    ['interval', `${server.intervalSeconds} s`],
    ['response', server.responseMs === null ? '' : formatMs(server.responseMs)],
    ['uptime', server.uptimePercent === null ? '' : `${server.uptimePercent} % of the last 30 days`],
    ['protocol', [server.protocolVersion, server.era && `${server.era} era`].filter(Boolean).join(', ')],
    ['inventory', counts ?? ''],
  ];
}

export function renderServerDetail(server: ServerDetail, style: Style, now: number): string {
  const lines = describe(server, now)
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label.padEnd(12)} ${escapeText(value)}\n`);
  if (server.recent.length === 0) return lines.join('');
  const recent = renderTable(
    [
      { title: 'CHECKED', value: ({ at }) => at },
      { title: 'STATUS', value: ({ status }) => status },
      { title: 'REASON', value: ({ reason }) => reason ?? '' },
      {
        title: 'TIME',
        value: ({ responseMs }) => (responseMs === null ? '' : formatMs(responseMs)),
        align: 'right',
      },
    ],
    server.recent,
    style,
  );
  return `${lines.join('')}\n${recent}`;
}
