import type { Worst } from '../../core/history/worst-reason.ts';
import type { HistoryResult, UptimeResult } from '../actions.ts';
import { escapeText } from './escape.ts';
import { formatCount } from './format-values.ts';
import type { Style } from './style.ts';
import { type Column, renderTable } from './table.ts';

const ratioText = (ratio: number | null): string => (ratio === null ? '–' : `${floored(ratio)}%`);
/** Rounded down: what is not whole is not shown as 100. */
const floored = (ratio: number): string => (Math.floor(ratio * 100_000) / 1_000).toFixed(3);
const msText = (ms: number | null): string => (ms === null ? '–' : `${Math.round(ms)}`);

function worstText(worst: Worst | null): string {
  if (worst === null) return '–';
  return worst.verdict === 'up' ? 'up' : `${worst.verdict}, ${worst.reason ?? 'no reason given'}`;
}

function secondsText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3_600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} d`;
}

type UptimeRow = UptimeResult['servers'][number];
const UPTIME: Column<UptimeRow>[] = [
  { title: 'SERVER', value: ({ name }) => name, flexible: true },
  { title: 'UPTIME', value: ({ upRatio }) => ratioText(upRatio), align: 'right' },
  { title: 'CHECKS', value: ({ checks }) => String(checks), align: 'right' },
  { title: 'OUTAGES', value: ({ incidents }) => String(incidents), align: 'right' },
  {
    title: 'FOR',
    value: ({ incidents, incidentSeconds }) => (incidents === 0 ? '–' : secondsText(incidentSeconds)),
    align: 'right',
  },
  { title: 'P50 MS', value: ({ p50Ms }) => msText(p50Ms), align: 'right' },
  { title: 'P95 MS', value: ({ p95Ms }) => msText(p95Ms), align: 'right' },
  { title: 'P99 MS', value: ({ p99Ms }) => msText(p99Ms), align: 'right' },
  { title: 'WORST', value: ({ worst }) => worstText(worst), flexible: true },
];

/** Servers with their uptime, as a table under the range that it is of. */
export function renderUptime({ from, to, servers }: UptimeResult, style: Style): string {
  if (servers.length === 0) return 'no servers are registered\n';
  return `${from} to ${to}\n\n${renderTable(UPTIME, servers, style)}`;
}

type Point = HistoryResult['points'][number];
const POINTS: Column<Point>[] = [
  { title: 'AT', value: ({ at }) => at },
  { title: 'UP', value: ({ upRatio }) => ratioText(upRatio), align: 'right' },
  { title: 'CHECKS', value: ({ checks }) => String(checks), align: 'right' },
  { title: 'P50 MS', value: ({ p50Ms }) => msText(p50Ms), align: 'right' },
  { title: 'P95 MS', value: ({ p95Ms }) => msText(p95Ms), align: 'right' },
  { title: 'P99 MS', value: ({ p99Ms }) => msText(p99Ms), align: 'right' },
  { title: 'WORST', value: ({ worst }) => worstText(worst), flexible: true },
];

/** The points of a server, oldest first. */
export function renderHistory(
  { server, from, to, stepSeconds, points }: HistoryResult,
  style: Style,
): string {
  const head = `${escapeText(server.name)}: ${from} to ${to}, ${formatCount(points.length, 'point')} of ${secondsText(stepSeconds)}`;
  if (points.length === 0) return `${head}\nno checks\n`;
  return `${head}\n\n${renderTable(POINTS, points, style)}`;
}
