import { GRADES } from '../../core/drift/change.ts';
import { describeCounts, describeTokens } from '../../core/drift/describe-drift.ts';
import type { DriftEntry, DriftTimeline, InventoryDiff, Pin, ToldChange } from '../actions.ts';
import { escapeText } from './escape.ts';
import type { Style } from './style.ts';
import { renderTable } from './table.ts';

const WIDTH = Math.max(...GRADES.map((grade) => grade.length));

function renderChanges(changes: readonly ToldChange[], style: Style): string {
  return changes
    .map(({ grade, sentence }) => `  ${style.grade(grade, grade.padEnd(WIDTH))}  ${escapeText(sentence)}\n`)
    .join('');
}

function renderEntry(entry: DriftEntry, style: Style): string {
  const { at, hash, previousHash, counts, tokens, previousTokens, changes } = entry;
  const what = previousHash === null ? 'first inventory' : describeCounts(counts);
  const total = Object.values(counts).reduce((sum: number, count) => sum + count, 0);
  const more = total - changes.length;
  return [
    `${style.bold(at)}  ${what}; ${describeTokens(tokens, previousTokens)}\n`,
    `  ${style.faint(hash)}\n`,
    renderChanges(changes, style),
    more > 0 ? `  and ${more} more\n` : '',
  ].join('');
}

/** When a server's inventory changed and how, the latest first. */
export function renderTimeline({ server, pin, entries }: DriftTimeline, style: Style): string {
  const held = pin
    ? `pinned to ${pin.hash}${pin.brokenSince ? `, broken since ${pin.brokenSince}` : ''}\n`
    : '';
  const body = entries.map((entry) => renderEntry(entry, style)).join('\n');
  return `${escapeText(server.name)} (${escapeText(server.id)})\n${held}\n${body || 'no change is known\n'}`;
}

export function renderDiff(diff: InventoryDiff, style: Style): string {
  const { from, to, counts, changes } = diff;
  const same = from.hash === to.hash ? 'the same inventory' : describeCounts(counts);
  return [
    `from ${from.at}  ${style.faint(from.hash)}\n`,
    `to   ${to.at}  ${style.faint(to.hash)}\n`,
    `${same}; ${describeTokens(to.tokens, from.tokens)}\n`,
    renderChanges(changes, style),
  ].join('');
}

export function renderPins(pins: readonly Pin[], style: Style): string {
  return renderTable<Pin>(
    [
      { title: 'STATE', value: ({ brokenSince }) => (brokenSince ? 'broken' : 'held') },
      { title: 'ID', value: ({ serverId }) => serverId, flexible: true },
      { title: 'NAME', value: ({ serverName }) => serverName, flexible: true },
      { title: 'PINNED', value: ({ pinnedAt }) => pinnedAt },
      { title: 'BROKEN SINCE', value: ({ brokenSince }) => brokenSince ?? '' },
      { title: 'TO', value: ({ hash }) => hash },
    ],
    pins,
    style,
  );
}
